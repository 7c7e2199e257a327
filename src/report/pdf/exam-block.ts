/** Exam block: dates, numbers, people and validated acts of the exam; two columns of label and value. */
import type { CdaTables } from '../cda/tables.ts';
import type { ReportModel } from '../model.ts';
import { frenchDate, frenchDateTime } from '../paris-time.ts';
import { spokenName } from '../people.ts';
import { type Canvas, columnWidth, element, ensureRoom, sheet } from './canvas.ts';
import { drawRows, type Row, rowsHeight } from './table.ts';

const gutter = 20;

export function drawExam(canvas: Canvas, model: ReportModel, tables: CdaTables): void {
  const width = (columnWidth - gutter) / 2;
  const left = { x: sheet.left, labelWidth: 92, width };
  const right = { x: sheet.left + width + gutter, labelWidth: 84, width };
  const whole = { x: sheet.left, labelWidth: 92, width: columnWidth };
  const [first, second] = examRows(model, tables);
  const acts = actRows(model);
  const height = Math.max(rowsHeight(canvas, first, left), rowsHeight(canvas, second, right));
  ensureRoom(canvas, height + rowsHeight(canvas, acts, whole));
  const section = element(canvas, canvas.root, 'Sect', { title: 'Examen' });
  drawRows(canvas, section, first, { ...left, top: canvas.y }, "Dates et contexte de l'examen");
  drawRows(canvas, section, second, { ...right, top: canvas.y }, 'Demandeur et numéros');
  canvas.y += height;
  if (acts.length > 0) canvas.y += drawRows(canvas, section, acts, { ...whole, top: canvas.y }, 'Actes');
  section.end();
  canvas.y += 5;
}

function examRows({ input, requester, modalities, regions }: ReportModel, tables: CdaTables): [Row[], Row[]] {
  const names = [
    modalities.map((code) => tables.modalities[code]).join(', '),
    regions.map((code) => tables.regions[code]).join(', '),
  ].filter((part) => part !== '');
  const encounter = tables.encounters[input.encounterClass ?? ''];
  const first: Row[] = [];
  if (input.examDate) first.push({ label: "Date de l'examen", value: frenchDateTime(input.examDate) });
  if (input.requestDate) first.push({ label: 'Date de la demande', value: frenchDateTime(input.requestDate) });
  first.push({ label: 'Date du compte rendu', value: frenchDate(input.signedAt) });
  if (names.length > 0) first.push({ label: 'Modalité, région', value: names.join(' – ') });
  if (encounter) first.push({ label: 'Contexte', value: encounter.person });
  const second: Row[] = [];
  if (requester) {
    const number = requester.rpps ? `, RPPS\u00a0${requester.rpps}` : '';
    second.push({ label: 'Médecin demandeur', value: `${spokenName(requester)}${number}` });
  }
  if (input.placerOrderNumber) second.push({ label: 'N° de demande', value: input.placerOrderNumber.value });
  if (input.accessionNumber) second.push({ label: "N° d'examen", value: input.accessionNumber.value });
  if (input.visitNumber) second.push({ label: 'N° de venue', value: input.visitNumber });
  return [first, second];
}

function actRows({ ccam, loinc }: ReportModel): Row[] {
  const rows = ccam.map((act, index) => ({
    label: index === 0 ? (ccam.length > 1 ? 'Actes CCAM validés' : 'Acte CCAM validé') : '',
    value: act.display ? `${act.code}  ${act.display}` : act.code,
  }));
  if (rows.length > 0) return rows;
  return loinc.map((act, index) => ({ label: index === 0 ? 'Acte réalisé' : '', value: act.display || act.code }));
}
