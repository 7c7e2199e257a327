/** What the kind of a case and its act make true of it (WF-8, WF-13). */
import type { Organization, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type Facts, inHand, signedStates } from '../case/index.ts';
import { type KindDefinition, kindOf, owedBy } from '../kinds/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { idOf, inputsOf, milestonesOf, stateOf } from './case-task.ts';

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
  return {
    ...terms,
    secondReadingRequired: owed.has('second-reading'),
    complement: milestonesOf(task).has('complemented') ? 'done' : owed.has('complement') ? 'required' : 'none',
  };
}
