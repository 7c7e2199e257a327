/** The resource that creates are measured with. */
import type { ServiceRequest } from '@medplum/fhirtypes';

/** About 1.3 kB, as a RIS would send it; values differ so that the index has something to do. */
export function benchRequest(n: number): ServiceRequest {
  const code = ['30799-1', '24725-4', '24627-2', '36813-4'][n % 4]!;
  return {
    resourceType: 'ServiceRequest',
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] },
        system: 'urn:oid:2.999.33.10',
        value: identifierOf(n),
      },
    ],
    status: 'active',
    intent: 'order',
    priority: n % 5 === 0 ? 'urgent' : 'routine',
    category: [{ coding: [{ system: 'http://snomed.info/sct', code: '363679005', display: 'Imaging' }] }],
    code: { coding: [{ system: 'http://loinc.org', code, display: 'TDM' }] },
    orderDetail: [
      { coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT', display: 'Scanner' }] },
    ],
    bodySite: [{ coding: [{ system: 'http://snomed.info/sct', code: '774007', display: 'tête et cou' }] }],
    subject: { reference: 'Patient/bench' },
    requester: { reference: 'Practitioner/demandeur' },
    performer: [{ reference: 'Practitioner/radiologue' }],
    authoredOn: authoredAt(n),
    reasonCode: [{ text: 'Céphalée brutale inhabituelle depuis deux heures, examen neurologique normal.' }],
    note: [{ text: 'Sans puis avec injection si doute.' }],
  };
}

/** As many templates as there are differences in their coded values. */
const templates = 20;
const written = new Map<number, readonly string[]>();

/** The same as JSON text. Written out anew each would take the load a quarter of its time, on cores it shares with what it measures. */
export function benchRequestText(n: number): string {
  const kind = n % templates;
  const known = written.get(kind);
  const request = known ? undefined : benchRequest(kind);
  const [head, middle, tail] = known ?? partsOf(JSON.stringify(request), request!);
  if (!known) written.set(kind, [head!, middle!, tail!]);
  return `${head}${identifierOf(n)}${middle}${authoredAt(n)}${tail}`;
}

/** What stands before, between and after the two values that are each request's own. */
function partsOf(text: string, { identifier, authoredOn }: ServiceRequest): string[] {
  const [head, rest] = text.split(identifier![0]!.value!);
  return [head!, ...rest!.split(authoredOn!)];
}

function identifierOf(n: number): string {
  return `BENCH-${process.pid}-${n}-${Math.random().toString(36).slice(2)}`;
}

function authoredAt(n: number): string {
  return new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
}
