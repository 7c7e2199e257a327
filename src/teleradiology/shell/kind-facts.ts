/** What the kind of a case and its act make true of it (WF-8, WF-13). */
import type { Organization, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type Facts, inHand, signedStates } from '../case/index.ts';
import { type KindDefinition, kindOf, type Owed, owedBy, owings } from '../kinds/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { type CaseTask, idOf, inputsOf, milestonesOf, outputsOf, stateOf, withOutput } from './case-task.ts';

type TermsOfKind = Pick<Facts, 'readers' | 'imagesExpected' | 'protocolRequired' | 'flow4Expected'>;

/** A contract's protocol and flow 4 are about imaging: they mean nothing to another kind. */
export function termsOfKind(kind: KindDefinition, settings: EstablishmentSettings): TermsOfKind {
  return {
    readers: kind.readers,
    imagesExpected: kind.imagesExpected,
    protocolRequired: kind.protocolled && settings.protocolRequired,
    flow4Expected: kind.protocolled && settings.flow4Expected,
  };
}

/** What a signed report was found to owe: whatever the request says afterwards, it stays owed until it is done. */
function owedOf(task: Task): Owed[] {
  return outputsOf(task, 'owed').flatMap(({ valueCode }) => owings.find((each) => each === valueCode) ?? []);
}

/** Keeps it, from the signature on. */
export function keepOwed(task: CaseTask, { secondReadingRequired, complement }: Facts): CaseTask {
  const state = stateOf(task);
  if (state === undefined || !signedStates.includes(state)) return task;
  const kept = owedOf(task);
  return owings
    .filter((each) => (each === 'second-reading' ? secondReadingRequired : complement === 'required'))
    .filter((each) => !kept.includes(each))
    .reduce((known, each) => withOutput(known, 'owed', { valueCode: each }), task);
}

/** The same with what the act owes, looked up from the reading on: nothing asks before. */
export async function kindFacts(
  tx: Pick<FhirTransaction, 'find'>,
  task: Task,
  establishment: Organization | undefined,
  settings: EstablishmentSettings,
): Promise<TermsOfKind & Pick<Facts, 'secondReadingRequired' | 'complement'>> {
  const terms = termsOfKind(kindOf(task), settings);
  const state = stateOf(task);
  const id = idOf(task.focus, 'ServiceRequest');
  const read = state !== undefined && (inHand.includes(state) || signedStates.includes(state));
  const request = read && id !== undefined ? await tx.find('ServiceRequest', id) : undefined;
  if (request === undefined) return { ...terms, secondReadingRequired: false, complement: 'none' };
  const done = inputsOf(task, 'act').map(({ valueCodeableConcept }) => valueCodeableConcept);
  const owed = owedBy({ request, done, ...(establishment ? { establishment } : {}) });
  const kept = owedOf(task);
  const owes = (what: Owed): boolean => owed.has(what) || kept.includes(what);
  return {
    ...terms,
    secondReadingRequired: owes('second-reading'),
    complement: milestonesOf(task).has('complemented') ? 'done' : owes('complement') ? 'required' : 'none',
  };
}
