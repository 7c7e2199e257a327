/** Right or left: what the request asks, what the images say (DICOM Laterality, through ImagingStudy). */
import type { ImagingStudy, ServiceRequest } from '@medplum/fhirtypes';

export type Side = 'right' | 'left';

/** SNOMED CT. Both sides at once ask for no side. */
const sides: Readonly<Record<string, readonly Side[]>> = {
  '24028007': ['right'],
  '7771000': ['left'],
  '51440002': ['right', 'left'],
};

/** Sides a request names in `bodySite`, qualifiers included. */
export function sidesAsked(request: Pick<ServiceRequest, 'bodySite'>): ReadonlySet<Side> {
  const found = new Set<Side>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    else if (typeof value === 'object' && value !== null) {
      const { code } = value as { code?: unknown };
      if (typeof code === 'string' && Object.hasOwn(sides, code)) for (const side of sides[code] ?? []) found.add(side);
      for (const member of Object.values(value)) visit(member);
    }
  };
  visit(request.bodySite);
  return found;
}

/** Sides the series of a study are labelled with. */
export function sidesShown(study: Pick<ImagingStudy, 'series'>): ReadonlySet<Side> {
  const codes = (study.series ?? []).flatMap(({ laterality }) => (laterality?.code ? [laterality.code] : []));
  return new Set(codes.flatMap((code) => sides[code] ?? []));
}

/** One side was asked, and the images show the other alone. Images of both sides compare them. */
export function contradictSide(asked: ReadonlySet<Side>, shown: ReadonlySet<Side>): boolean {
  if (asked.size !== 1 || shown.size === 0) return false;
  return [...asked].every((side) => !shown.has(side));
}
