/** Contracts as an establishment's coordinator writes them. */
import type { Contract, ContractTerm, Extension } from '@medplum/fhirtypes';

const base = 'https://fhir.passerelle.example';

export interface Clause {
  rule: string;
  clock: string;
  parts: Extension[];
  applies?: Contract['applies'];
  text?: string;
  penalties?: [unit: string, euros: number][];
}

export const minutes = (value: number): Extension => ({ url: 'minutes', valuePositiveInt: value });
export const urgency = (valueCode: string): Extension => ({ url: 'urgency', valueCode });
export const setting = (valueCode: string): Extension => ({ url: 'setting', valueCode });
export const band = (valueCode: string): Extension => ({ url: 'band', valueCode });
export const act = (code: string, system = 'urn:oid:1.2.250.1.215.300.1'): Extension => ({
  url: 'act',
  valueCoding: { system, code },
});
export const reminder = (valuePositiveInt: number): Extension => ({ url: 'reminder', valuePositiveInt });
export const escalation = (to: string, afterMinutes: number): Extension => ({
  url: 'escalation',
  extension: [
    { url: 'to', valueCode: to },
    { url: 'afterMinutes', valueUnsignedInt: afterMinutes },
  ],
});

function termOf({ rule, clock, parts, applies, text, penalties }: Clause): ContractTerm {
  return {
    extension: [{ url: `${base}/StructureDefinition/clock-term`, extension: parts }],
    identifier: { value: rule },
    ...(applies ? { applies } : {}),
    type: { coding: [{ system: `${base}/CodeSystem/clock`, code: clock }] },
    ...(text ? { text } : {}),
    offer: { text: text ?? rule },
    ...(penalties
      ? {
          asset: [
            {
              valuedItem: penalties.map(([unit, value]) => ({
                entityCodeableConcept: { coding: [{ system: `${base}/CodeSystem/penalty-unit`, code: unit }] },
                unitPrice: { value, currency: 'EUR' },
              })),
            },
          ],
        }
      : {}),
  };
}

export function contractOf(clauses: Clause[], more: Partial<Contract> = {}): Contract {
  return {
    resourceType: 'Contract',
    meta: { profile: [`${base}/StructureDefinition/contract-terms`] },
    status: 'executed',
    type: { coding: [{ system: `${base}/CodeSystem/contract-type`, code: 'teleradiology-terms' }] },
    subject: [{ reference: 'Organization/ch-exemple' }],
    term: clauses.map(termOf),
    ...more,
  };
}
