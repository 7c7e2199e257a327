/** Head of the first page: the hospital, the title, the mention of a replacement. */
import type { ReportModel } from '../model.ts';
import { frenchDateTime } from '../paris-time.ts';
import { addressLine, phone, type Structure } from '../people.ts';
import { artifact, type Canvas, columnWidth, element, flowParagraph, setLine, setLines, sheet } from './canvas.ts';
import { accent, look, rule, tint, warning } from './look.ts';

export function drawHead(canvas: Canvas, model: ReportModel): void {
  const section = element(canvas, canvas.root, 'Sect', { title: 'En-tête' });
  const top = canvas.y;
  const half = columnWidth * 0.58;
  let left = 0;
  const hospital = element(canvas, section, 'P');
  hospital.add(() => {
    left += setLines(canvas, model.establishment.name, look.hospital, { x: sheet.left, top, width: half });
    for (const line of contactLines(model.establishment)) {
      left += setLines(canvas, line, look.small, { x: sheet.left, top: top + left, width: half });
    }
  });
  hospital.end();
  let right = 3;
  const platform = element(canvas, section, 'P');
  platform.add(() => {
    const box = { x: sheet.left + half + 16, width: columnWidth - half - 16 };
    right += setLines(canvas, 'Examen interprété à distance par', look.small, { ...box, top: top + right });
    right += setLines(
      canvas,
      model.platform.name,
      { ...look.strong, size: 9, leading: 12.5 },
      { ...box, top: top + right },
    );
    for (const line of contactLines(model.platform)) {
      right += setLines(canvas, line, look.small, { ...box, top: top + right });
    }
  });
  platform.end();
  canvas.y = top + Math.max(left, right) + 7;
  artifact(canvas, () => {
    canvas.doc.rect(sheet.left, canvas.y, columnWidth, 1.6).fill(accent);
  });
  canvas.y += 14;
  flowParagraph(canvas, section, model.form.name, look.title, { type: 'H1', after: 1 });
  const act = model.title.slice(model.form.name.length).replace(/^ – /, '');
  if (act) flowParagraph(canvas, section, act, look.act, { type: 'P' });
  canvas.y += 6;
  if (model.input.document.version > 1) drawReplacement(canvas, section, model);
  section.end();
}

function drawReplacement(canvas: Canvas, section: PDFKit.PDFStructureElement, model: ReportModel): void {
  const { version, replaces } = model.input.document;
  const height = 36;
  artifact(canvas, () => {
    canvas.doc.rect(sheet.left, canvas.y, columnWidth, height).fill('#fdf1e3');
    canvas.doc.rect(sheet.left, canvas.y, 3, height).fill(warning);
  });
  const notice = element(canvas, section, 'P');
  notice.add(() => {
    setLine(
      canvas,
      `Version ${version} du ${frenchDateTime(model.input.signedAt)} : annule et remplace la version précédente`,
      look.notice,
      sheet.left + 12,
      canvas.y + 5,
    );
    if (replaces) setLine(canvas, `Document remplacé : ${replaces}`, look.small, sheet.left + 12, canvas.y + 19);
  });
  notice.end();
  canvas.y += height + 8;
}

function contactLines(place: Structure): string[] {
  const telephone = phone(place.telecom);
  return [
    addressLine(place.address),
    [telephone ? `Tél. ${telephone}` : '', place.finess ? `FINESS ${place.finess}` : ''].filter(Boolean).join('  ·  '),
  ].filter((line) => line !== '');
}

/** Box behind a block: light fill, thin frame. */
export function panel(canvas: Canvas, top: number, height: number): void {
  artifact(canvas, () => {
    canvas.doc.rect(sheet.left, top, columnWidth, height).fill(tint);
    canvas.doc.lineWidth(0.6).strokeColor(rule).rect(sheet.left, top, columnWidth, height).stroke();
  });
}
