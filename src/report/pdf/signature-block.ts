/** Visible signature block: who signed, when in legal time, under the one signature field; kept whole on one page. */
import type { ReportModel } from '../model.ts';
import { frenchDate, frenchTime } from '../paris-time.ts';
import { spokenName } from '../people.ts';
import { viewerUrl } from '../viewer-url.ts';
import {
  type Canvas,
  columnWidth,
  type Element,
  element,
  ensureRoom,
  pdfString,
  setLine,
  setLines,
  sheet,
} from './canvas.ts';
import { panel } from './head.ts';
import { type TextStyle, wrap } from './lines.ts';
import { look } from './look.ts';
import { addSignatureField } from './signature-field.ts';

/** "Signé électroniquement par Dr … (RPPS …) le JJ/MM/AAAA à HH:MM:SS (Europe/Paris)". */
function signatureSentence({ radiologist, input }: ReportModel): string {
  const number = radiologist.rpps ? ` (RPPS ${radiologist.rpps})` : '';
  const when = `le ${frenchDate(input.signedAt)} à ${frenchTime(input.signedAt)} (Europe/Paris)`;
  return `Signé électroniquement par ${spokenName(radiologist)}${number} ${when}`;
}

export function drawSignature(canvas: Canvas, model: ReportModel, reserved: number): void {
  const padding = 8;
  const width = columnWidth - 2 * padding;
  const sentence = signatureSentence(model);
  const statement = { ...look.strong, size: 8.7 };
  const lines = wrap(canvas.faces, sentence, statement, width);
  const height = lines.length * statement.leading + look.small.leading + 2 * padding;
  canvas.y += 9;
  const viewer = viewerUrl(model.input.viewerUrl);
  ensureRoom(canvas, height + (viewer ? viewerLines(canvas, viewer).lines.length * viewerStyle.leading + 8 : 0));
  const section = element(canvas, canvas.root, 'Sect', { title: 'Validation' });
  if (viewer) drawViewer(canvas, section, viewer);
  panel(canvas, canvas.y, height);
  const text = element(canvas, section, 'P');
  text.add(() => {
    const used = setLines(canvas, sentence, statement, { x: sheet.left + padding, top: canvas.y + padding, width });
    const { oid, version } = model.input.document;
    const identity = `Document ${oid}, version ${version}`;
    setLine(canvas, identity, look.small, sheet.left + padding, canvas.y + padding + used);
  });
  text.end();
  addSignatureField(canvas, section, {
    x: sheet.left,
    y: canvas.y,
    width: columnWidth,
    height,
    signerName: spokenName(model.radiologist),
    place: model.platform.name,
    at: model.input.signedAt,
    reserved,
  });
  section.end();
  canvas.y += height;
}

const viewerLabel = 'Ouvrir les images de l’examen : ';
const viewerStyle: TextStyle = { ...look.small, size: 8.5, leading: 12 };

function viewerLines(canvas: Canvas, url: string): { lines: string[]; indent: number } {
  const indent = canvas.faces.width(viewerLabel, viewerStyle.weight, viewerStyle.size);
  return { lines: wrap(canvas.faces, url, viewerStyle, columnWidth - indent), indent };
}

function drawViewer(canvas: Canvas, section: Element, url: string): void {
  const { lines, indent } = viewerLines(canvas, url);
  const paragraph = element(canvas, section, 'P');
  const top = canvas.y;
  paragraph.add(() => setLine(canvas, viewerLabel, viewerStyle, sheet.left, top));
  const link = element(canvas, paragraph, 'Link', { alt: 'Images de l’examen' });
  link.add(() => {
    lines.forEach((line, index) => {
      const style = { ...viewerStyle, color: '#0b4f9c' };
      setLine(canvas, line, style, sheet.left + indent, top + index * viewerStyle.leading);
    });
  });
  const height = lines.length * viewerStyle.leading;
  canvas.doc.link(sheet.left + indent, top, columnWidth - indent, height, url, {
    structParent: link,
    Contents: pdfString('Images de l’examen'),
  } as unknown as PDFKit.Mixins.AnnotationOption);
  link.end();
  paragraph.end();
  canvas.y += height + 8;
}
