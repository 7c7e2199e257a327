/** The four chapters of the report (RP-1); technique carries contrast and dose, the conclusion stands out. */
import type { ReportModel } from '../model.ts';
import { artifact, type Canvas, columnWidth, element, ensureRoom, flowParagraph, setLine, sheet } from './canvas.ts';
import { paragraphs } from './lines.ts';
import { accent, look, rule, tint } from './look.ts';

export function drawChapters(canvas: Canvas, model: ReportModel): void {
  const { text } = model.input;
  const { chapters } = model.form;
  drawChapter(canvas, chapters.indication, paragraphs(text.indication));
  drawChapter(canvas, chapters.technique, [...paragraphs(text.technique), ...techniqueFacts(model)]);
  drawChapter(canvas, chapters.results, paragraphs(text.results));
  drawConclusion(canvas, chapters.conclusion, paragraphs(text.conclusion));
}

/** Contrast product and dose as sentences, numbers the French way. */
function techniqueFacts({ input }: ReportModel): string[] {
  const facts: string[] = [];
  if (input.contrast?.text) facts.push(`Produit de contraste : ${input.contrast.text.trim()}`);
  const { ctdiVolMGy, dlpMGyCm, text } = input.dose ?? {};
  const measures = [
    ctdiVolMGy === undefined ? '' : `IDSV (CTDIvol) moyen ${frenchNumber(ctdiVolMGy)} mGy`,
    dlpMGyCm === undefined ? '' : `PDL (DLP) total ${frenchNumber(dlpMGyCm)} mGy.cm`,
    text?.trim() ?? '',
  ].filter((part) => part !== '');
  if (measures.length > 0) facts.push(`Exposition : ${measures.join(' ; ')}`);
  return facts;
}

function drawChapter(canvas: Canvas, heading: string, body: string[]): void {
  canvas.y += 6;
  // A heading never stays alone at the foot of a page.
  ensureRoom(canvas, look.heading.leading + 2 * look.body.leading + 8);
  const section = element(canvas, canvas.root, 'Sect', { title: heading });
  const title = element(canvas, section, 'H2');
  title.add(() => setLine(canvas, heading, look.heading, sheet.left, canvas.y));
  title.end();
  canvas.y += look.heading.leading;
  artifact(canvas, () => {
    canvas.doc
      .lineWidth(0.6)
      .strokeColor(rule)
      .moveTo(sheet.left, canvas.y)
      .lineTo(sheet.left + columnWidth, canvas.y)
      .stroke();
  });
  canvas.y += 4;
  for (const paragraph of body) flowParagraph(canvas, section, paragraph, look.body, { after: 2 });
  section.end();
}

function drawConclusion(canvas: Canvas, heading: string, body: string[]): void {
  canvas.y += 9;
  ensureRoom(canvas, look.heading.leading + 2 * look.conclusion.leading + 20);
  const section = element(canvas, canvas.root, 'Sect', { title: heading });
  const indent = 13;
  const band = (top: number, height: number) =>
    artifact(canvas, () => {
      canvas.doc.rect(sheet.left, top, columnWidth, height).fill(tint);
      canvas.doc.rect(sheet.left, top, 3, height).fill(accent);
    });
  band(canvas.y, look.heading.leading + 8);
  const title = element(canvas, section, 'H2');
  title.add(() => setLine(canvas, heading, look.heading, sheet.left + indent, canvas.y + 4));
  title.end();
  canvas.y += look.heading.leading + 7;
  for (const paragraph of body) {
    flowParagraph(canvas, section, paragraph, look.conclusion, {
      x: sheet.left + indent,
      width: columnWidth - 2 * indent,
      // One point of overlap: two fills that only touch leave a hairline on screens.
      beside: (top, height) => band(top - 1, height + 5),
    });
    canvas.y += 3;
  }
  band(canvas.y - 1, 8);
  canvas.y += 7;
  section.end();
}

/** Made once: a number format costs more than the page it is used on. */
const twoDecimals = new Intl.NumberFormat('fr-FR', { maximumFractionDigits: 2 });

function frenchNumber(value: number): string {
  return twoDecimals.format(value);
}
