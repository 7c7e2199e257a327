/** $lastn: the most recent observations of each kind (https://hl7.org/fhir/R4/observation-operation-lastn.html). */
import type { Bundle, Observation } from '@medplum/fhirtypes';
import { FhirError, type Operation, parameterNamed } from '../contract.ts';
import { refusal, textOnce } from './input.ts';
import { notPlain } from './plain-criteria.ts';
import { parsed, readsOf } from './reads.ts';

/** Observations looked through, and of each kind answered. */
const readAtMost = 10_000;
const perCodeAtMost = 100;

export const lastnOperation: Operation = {
  name: 'lastn',
  type: 'Observation',
  level: 'type',
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/Observation-lastn',
  async run(call) {
    const reads = readsOf(call);
    call.authorize({ interaction: 'search-type', type: 'Observation' });
    const max = Number(textOnce(call.parameters, 'max') ?? '1');
    if (!Number.isInteger(max) || max < 1 || max > perCodeAtMost) {
      throw refusal(`max is a whole number from 1 to ${perCodeAtMost}`, 'max');
    }
    const criteria = (call.parameters.parameter ?? []).filter(({ name }) => name !== 'max');
    if (!criteria.some(({ name }) => name === 'patient' || name === 'subject')) {
      throw new FhirError(400, 'required', 'patient or subject is needed', parameterNamed('patient'));
    }
    const other = notPlain(criteria.map(({ name }) => name ?? ''));
    if (other !== undefined) {
      const diagnostics = `${other.slice(0, 64)} is not supported here`;
      throw new FhirError(400, 'not-supported', diagnostics, parameterNamed(other));
    }
    const query = new URLSearchParams(
      criteria.map(({ name, ...value }): [string, string] => [name ?? '', String(Object.values(value)[0] ?? '')]),
    );
    const kept: Observation[] = [];
    const counts = new Map<string, number>();
    let read = 0;
    for (let next: string | undefined = `${query}&_sort=-date&_count=1000`; next !== undefined; ) {
      const page = await reads.searchBundle('Observation', next);
      for (const observation of page.matches.map((version) => parsed(version) as Observation)) {
        const keys = kindsOf(observation);
        if (keys.some((key) => (counts.get(key) ?? 0) >= max)) continue;
        for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
        kept.push(observation);
      }
      read += page.matches.length;
      if (read >= readAtMost && page.next) {
        throw new FhirError(
          403,
          'too-costly',
          `More than ${readAtMost} observations: narrow by category, code or date`,
        );
      }
      next = page.next;
    }
    const bundle: Bundle = {
      resourceType: 'Bundle',
      type: 'searchset',
      total: kept.length,
      ...(kept.length > 0
        ? {
            entry: kept.map((resource) => ({
              fullUrl: `${call.base}/Observation/${resource.id}`,
              resource,
              search: { mode: 'match' as const },
            })),
          }
        : {}),
    };
    return { status: 200, resource: bundle, shown: kept };
  },
};

/** Each coding is a name of the kind; without one the text is. */
function kindsOf({ code }: Observation): string[] {
  const codings = (code.coding ?? []).map((coding) => `${coding.system}|${coding.code}`);
  return codings.length > 0 ? codings : [code.text ?? ''];
}
