/** The same act asked twice for one patient and day: one of the two would be read, and billed, for nothing. */
import type { CodeableConcept, ServiceRequest } from '@medplum/fhirtypes';
import { Temporal } from 'temporal-polyfill';
import type { FhirTransaction } from '../../fhir/index.ts';
import { stateDefinition } from '../case/index.ts';
import { codeSystem } from '../codes.ts';
import { type CaseTask, idOf, stateOf } from '../shell/case-task.ts';

const casesAtMost = 100;
/** Further back nobody asks for the same day; what was read since would be looked through in vain. */
const lookBackMs = 60 * 86_400_000;

/** Cases of the patient that ask for the same; those that ended, and drafts, ask for nothing. */
export async function sameRequests(
  tx: FhirTransaction,
  request: ServiceRequest & { id: string },
  received: Date,
  timeZone: string,
): Promise<CaseTask[]> {
  const patient = request.subject.reference;
  if (patient === undefined) return [];
  const code = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  const since = new Date(received.getTime() - lookBackMs).toISOString();
  const query = `patient=${patient}&code=${code}&authored-on=ge${since}&_sort=-authored-on&_count=${casesAtMost}`;
  const tasks = (await tx.search('Task', query)) as CaseTask[];
  const day = dayOf(request, received, timeZone);
  const act = actOf(request);
  const found: CaseTask[] = [];
  for (const task of tasks) {
    const state = stateOf(task);
    if (state === undefined || state === 'draft' || stateDefinition(state)?.final === true) continue;
    const id = idOf(task.focus, 'ServiceRequest');
    if (id === undefined || id === request.id) continue;
    const other = await tx.find('ServiceRequest', id);
    if (other === undefined) continue;
    if (dayOf(other, new Date(task.authoredOn ?? 0), timeZone) === day && actOf(other) === act) found.push(task);
  }
  return found;
}

/** What is asked, where, on which side: equal for equal requests, in whatever order it is written. */
function actOf(request: ServiceRequest): string {
  const keys = [
    ...keysOf(request.code ? [request.code] : []),
    ...keysOf(request.orderDetail ?? []),
    ...keysOf(request.bodySite ?? []),
  ];
  return [...new Set(keys)].sort().join(' ');
}

/** Codes where there are any, else the words. */
function keysOf(concepts: readonly CodeableConcept[]): string[] {
  return concepts.flatMap(({ coding, text }) => {
    const codes = (coding ?? []).flatMap(({ system, code }) => (code ? [`${system ?? ''}|${code}`] : []));
    if (codes.length > 0) return codes;
    return text ? [text.trim().toLowerCase()] : [];
  });
}

/** Day of the exam where one is said, else of the request, at the establishment. */
function dayOf(request: ServiceRequest, received: Date, timeZone: string): string {
  const said = request.occurrenceDateTime ?? request.authoredOn;
  const at = said === undefined ? received : new Date(said);
  const ms = Number.isNaN(at.getTime()) ? received.getTime() : at.getTime();
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).toPlainDate().toString();
}
