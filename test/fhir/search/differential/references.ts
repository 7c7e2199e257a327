/** Where references and canonicals lead, written from https://hl7.org/fhir/R4/references.html alone. */
import type { Resource } from '@medplum/fhirtypes';

export type Stored = Resource & { id: string };

export function literalReference(value: unknown): string | undefined {
  const reference = typeof value === 'string' ? value : (value as { reference?: string } | null)?.reference;
  return reference?.replace(/\/_history\/.*$/, '');
}

/** By type and id, or as a canonical: with a version to that one, without to the newest of those in force. */
export function leadsTo(resources: readonly Stored[], value: unknown, target: Stored): boolean {
  if (literalReference(value) === `${target.resourceType}/${target.id}`) return true;
  if (typeof value !== 'string') return false;
  const [url, version] = value.split('|');
  const named = resources
    .filter(({ resourceType }) => resourceType === target.resourceType)
    .map((resource) => resource as Stored & Dated)
    .filter((resource) => resource.url === url && (version === undefined || resource.version === version));
  const before = (a: Dated, b: Dated) =>
    order.indexOf(b.status ?? '') - order.indexOf(a.status ?? '') ||
    Number(a.version ?? 0) - Number(b.version ?? 0) ||
    ((a.date ?? '') < (b.date ?? '') ? -1 : 1);
  return named.sort(before).at(-1)?.id === target.id;
}

interface Dated {
  url?: string;
  version?: string;
  status?: string;
  date?: string;
}

const order: readonly string[] = ['active', 'draft', '', 'unknown', 'retired'];
