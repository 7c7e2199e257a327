/** Who can be put on a kind of duty. */
import { useQuery } from '@tanstack/react-query';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { personName } from '../words/people.ts';
import type { DutyKind } from './month.ts';
import type { Reader } from './readers.ts';

/** Radiologists by the list of the establishment; who coordinates may be anybody of the directory. */
export function usePeople(kind: DutyKind, readers: readonly Reader[]): { value: string; label: string }[] {
  const { client } = useServices();
  const everybody = useQuery({
    queryKey: ['practitioners'],
    queryFn: async ({ signal }) =>
      found(await client.search('Practitioner', '_count=500&_elements=name,active', signal)).all('Practitioner'),
    staleTime: 60_000,
  });
  const known = readers
    .filter(({ excluded }) => !excluded)
    .map(({ reference, name }) => ({ value: reference, label: name }));
  const others = (everybody.data ?? [])
    .filter(({ active }) => active !== false)
    .map(({ id = '', name }) => ({ value: `Practitioner/${id}`, label: personName(name) }))
    .filter(({ value }) => !known.some((each) => each.value === value))
    .sort((one, other) => one.label.localeCompare(other.label, 'fr'));
  return kind === 'radiologist' && known.length > 0 ? known : [...known, ...others];
}
