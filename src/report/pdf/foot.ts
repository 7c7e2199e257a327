/** Foot of every page: the patient, the document, page n/N. */
import type { ReportModel } from '../model.ts';
import { frenchDate } from '../paris-time.ts';
import { artifact, type Canvas, columnWidth, setLine, sheet } from './canvas.ts';
import { look, rule } from './look.ts';
import { patientLine } from './patient-block.ts';

/** Written last, when the number of pages is known. */
export function drawFeet(canvas: Canvas, model: ReportModel): void {
  const { start, count } = canvas.doc.bufferedPageRange();
  const top = sheet.height - sheet.bottom + 14;
  const patient = patientLine(model.patient);
  const source = `${model.form.name} du ${frenchDate(model.input.signedAt)}, ${model.establishment.name}`;
  for (let index = 0; index < count; index += 1) {
    canvas.doc.switchToPage(start + index);
    artifact(
      canvas,
      () => {
        canvas.doc
          .lineWidth(0.6)
          .strokeColor(rule)
          .moveTo(sheet.left, top)
          .lineTo(sheet.left + columnWidth, top)
          .stroke();
        setLine(canvas, shorten(canvas, patient, columnWidth - 70), look.footer, sheet.left, top + 5);
        setLine(canvas, shorten(canvas, source, columnWidth - 70), look.footer, sheet.left, top + 16);
        setLine(canvas, `Page ${index + 1}/${count}`, look.footer, sheet.left + columnWidth, top + 5, 'right');
      },
      'Pagination',
    );
  }
}

function shorten(canvas: Canvas, text: string, width: number): string {
  const { weight, size } = look.footer;
  if (canvas.faces.width(text, weight, size) <= width) return text;
  let end = text.length;
  while (end > 0 && canvas.faces.width(`${text.slice(0, end)}…`, weight, size) > width) end -= 1;
  return `${text.slice(0, end)}…`;
}
