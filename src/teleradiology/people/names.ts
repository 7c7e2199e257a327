/** How people are called and reached, out of the directory. */
import type { ContactPoint, Practitioner, PractitionerRole } from '@medplum/fhirtypes';

/** Titles of the national value set (FR.5.719). */
const titles: Readonly<Record<string, string>> = { DR: 'Dr', PR: 'Pr' };

/** `Dr NOA TEST`; the id where the directory has no name. */
export function nameOf(practitioner: Practitioner | undefined, id = practitioner?.id ?? ''): string {
  const name = practitioner?.name?.[0];
  if (name === undefined) return id;
  if (name.text) return name.text;
  const title = name.suffix?.map((suffix) => titles[suffix.toUpperCase()]).find((found) => found !== undefined);
  return [title, ...(name.given ?? []), name.family].filter((part) => part).join(' ') || id;
}

/** `1 garde`, `2 gardes`: every word takes the plural. */
export function counted(count: number, words: string): string {
  return `${count} ${count > 1 ? words.replace(/(\p{L})(?=\s|$)/gu, '$1s') : words}`;
}

/** Number or address: that of the role at the establishment before the person's own, a mobile before a line. */
export function contactOf(
  system: 'phone' | 'email',
  role: Pick<PractitionerRole, 'telecom'> | undefined,
  practitioner: Pick<Practitioner, 'telecom'> | undefined,
): string | undefined {
  const usable = [role, practitioner].map((each) => (each?.telecom ?? []).filter((one) => isUsable(one, system)));
  const [own = [], personal = []] = usable;
  return [...byPreference(own), ...byPreference(personal)][0]?.value;
}

const isUsable = (point: ContactPoint, system: string): boolean =>
  point.system === system && Boolean(point.value) && point.use !== 'old' && point.use !== 'home';

function byPreference(points: ContactPoint[]): ContactPoint[] {
  const place = ({ rank, use }: ContactPoint): number => rank ?? (use === 'mobile' ? 100 : use === 'work' ? 101 : 102);
  return points.toSorted((a, b) => place(a) - place(b));
}
