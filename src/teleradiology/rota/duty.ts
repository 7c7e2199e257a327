/** Codes of a rota: what kind of duty a Schedule plans, and when it was published (CM-2). */
import type { Extension, Schedule } from '@medplum/fhirtypes';
import { codeOf, part, passerelle } from '../codes.ts';

export const dutySystem = `${passerelle}/CodeSystem/duty-kind`;
export const publicationUrl = `${passerelle}/StructureDefinition/rota-publication`;

/** In the order in which they are called: the coordinator stands in for the radiologist, the deputy for the coordinator (CM-3). */
export const dutyKinds = ['radiologist', 'coordinator', 'deputy-coordinator'] as const;
export type DutyKind = (typeof dutyKinds)[number];

export const dutyNames: Readonly<Record<DutyKind, string>> = {
  radiologist: 'Radiologue',
  coordinator: 'Coordonnateur',
  'deputy-coordinator': 'Coordonnateur suppléant',
};

/** Undefined for a Schedule that is no rota: somebody else's calendar is none of our business. */
export function dutyKindOf(schedule: Pick<Schedule, 'serviceType'> | undefined): DutyKind | undefined {
  const codes = (schedule?.serviceType ?? []).map((type) => codeOf(type, dutySystem));
  return dutyKinds.find((kind) => codes.includes(kind));
}

export interface Publication {
  at: Date;
  /** Less than seven days before the month. */
  late: boolean;
}

export function publicationOf(schedule: Pick<Schedule, 'extension'> | undefined): Publication | undefined {
  const extension = schedule?.extension?.find(({ url }) => url === publicationUrl);
  const at = part(extension, 'published')?.valueInstant;
  return at === undefined ? undefined : { at: new Date(at), late: part(extension, 'late')?.valueBoolean === true };
}

export function publicationExtension({ at, late }: Publication): Extension {
  return {
    url: publicationUrl,
    extension: [
      { url: 'published', valueInstant: at.toISOString() },
      { url: 'late', valueBoolean: late },
    ],
  };
}
