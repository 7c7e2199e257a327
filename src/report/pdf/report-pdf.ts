/** The report as a PDF/A-1a file with an empty signature, ready to be signed (ISO 19005-1; ETSI EN 319 142-1). */
import type { CdaTables } from '../cda/tables.ts';
import type { ReportModel } from '../model.ts';
import { spokenName } from '../people.ts';
import type { Typefaces } from '../typefaces.ts';
import { collect, openCanvas } from './canvas.ts';
import { drawChapters } from './chapters.ts';
import { drawExam } from './exam-block.ts';
import { drawFeet } from './foot.ts';
import { drawHead } from './head.ts';
import { escapeMetadata } from './metadata.ts';
import { drawPatient, patientLine } from './patient-block.ts';
import { drawSignature } from './signature-block.ts';

/**
 * Lays the report out. The same model gives the same bytes.
 * @param reserved bytes kept for the CMS
 */
export async function reportPdf(
  model: ReportModel,
  tables: CdaTables,
  faces: Typefaces,
  reserved: number,
): Promise<Buffer> {
  const { document, signedAt } = model.input;
  const canvas = openCanvas(faces, {
    title: model.title,
    author: spokenName(model.radiologist),
    subject: patientLine(model.patient),
    keywords: document.oid,
    at: signedAt,
  });
  escapeMetadata(canvas.doc);
  const bytes = collect(canvas.doc);
  drawHead(canvas, model);
  drawPatient(canvas, model.patient);
  drawExam(canvas, model, tables);
  drawChapters(canvas, model);
  drawSignature(canvas, model, reserved);
  drawFeet(canvas, model);
  canvas.root.end();
  canvas.doc.end();
  return bytes;
}
