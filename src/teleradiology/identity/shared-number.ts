/** An accession number, or a study, that another case has already: two patients under one number are read as one. */
import type { Identifier, ServiceRequest } from '@medplum/fhirtypes';
import { escapeValue, type FhirTransaction } from '../../fhir/index.ts';
import { codeSystem, identifierIs, identifierSystem } from '../codes.ts';
import { findLink, type StudyLink } from '../images/study-link.ts';
import type { CaseTask } from '../shell/case-task.ts';
import { isElsewhere } from './elsewhere.ts';

const requestsAtMost = 20;

export interface SharedAccession {
  /** The other patient's request. */
  request: ServiceRequest & { id: string };
  /** Its case, when it has one. */
  task?: CaseTask;
  /** The number, as this request has it. */
  number: Identifier;
  /** Whether it is another establishment's, under a number of the same authority. */
  isElsewhere: boolean;
}

/**
 * Requests of other patients under an accession number of this one. A number without issuer is compared by its value within an establishment:
 * two that count alike share nothing but a figure, and images find the case of who sends them (find-case.ts).
 */
export async function sharedAccessions(tx: FhirTransaction, request: ServiceRequest): Promise<SharedAccession[]> {
  const found = new Map<string, SharedAccession>();
  for (const number of request.identifier ?? []) {
    if (!number.value || !identifierIs(number, 'ACSN')) continue;
    const others = await tx.search(
      'ServiceRequest',
      `identifier=${encodeURIComponent(escapeValue(number.value))}&_count=${requestsAtMost}`,
    );
    for (const other of others) {
      if (other.id === undefined || other.id === request.id) continue;
      const elsewhere = isElsewhere(request, other);
      if (other.subject.reference === request.subject.reference || !carries(other, number, elsewhere)) continue;
      const task = await caseOf(tx, other.id);
      found.set(other.id, {
        ...{ request: other as ServiceRequest & { id: string }, number, isElsewhere: elsewhere },
        ...(task ? { task } : {}),
      });
    }
  }
  return [...found.values()];
}

function carries(request: ServiceRequest, { system, value }: Identifier, isElsewhere: boolean): boolean {
  const agrees = isElsewhere
    ? (theirs?: string) => system !== undefined && theirs === system
    : (theirs?: string) => system === undefined || theirs === undefined || theirs === system;
  return (request.identifier ?? []).some(
    (each) => each.value === value && identifierIs(each, 'ACSN') && agrees(each.system),
  );
}

/** Studies a request names that have images already. */
export async function namedStudies(tx: FhirTransaction, request: ServiceRequest): Promise<StudyLink[]> {
  const links: StudyLink[] = [];
  for (const { system, value } of request.identifier ?? []) {
    if (system !== identifierSystem.study || value === undefined) continue;
    const link = await findLink(tx.sql, tx.context.tenant, value.replace(/^urn:oid:/, ''));
    if (link !== undefined) links.push(link);
  }
  return links;
}

/** The case of a request. */
export async function caseOf(tx: FhirTransaction, requestId: string): Promise<CaseTask | undefined> {
  const code = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  const tasks = await tx.search('Task', `based-on=ServiceRequest/${requestId}&code=${code}&_count=1`);
  return tasks[0] as CaseTask | undefined;
}
