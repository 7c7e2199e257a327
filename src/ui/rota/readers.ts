/** Radiologists of an establishment as `Organization/[id]/$radiologists` tells them. */
import type { Parameters } from '@medplum/fhirtypes';
import { partOf, textOf } from './month.ts';

export interface Reader {
  /** `Practitioner/…` */
  reference: string;
  name: string;
  phone: string;
  email: string;
  credentials: 'valid' | 'expired' | 'missing';
  excluded: boolean;
  onDuty: boolean;
}

export function readersOf(answer: Parameters): Reader[] {
  return (answer.parameter ?? [])
    .filter(({ name }) => name === 'radiologist')
    .map(({ part }) => {
      const practitioner = partOf(part, 'practitioner') as { reference?: string; display?: string } | undefined;
      return {
        reference: practitioner?.reference ?? '',
        name: practitioner?.display ?? '',
        phone: textOf(part, 'phone'),
        email: textOf(part, 'email'),
        credentials: textOf(part, 'credentials') as Reader['credentials'],
        excluded: partOf(part, 'excluded') === true,
        onDuty: partOf(part, 'onDuty') === true,
      };
    });
}
