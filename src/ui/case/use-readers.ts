/** Radiologists of the directory, to whom a case may be given. */
import { useQuery } from '@tanstack/react-query';
import { found, literalReference } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { systems } from '../fhir/systems.ts';
import { practitionerName } from '../words/people.ts';

export interface Reader {
  reference: string;
  name: string;
}

export function useReaders() {
  const { client } = useServices();
  return useQuery({
    queryKey: ['readers'],
    queryFn: async ({ signal }): Promise<Reader[]> => {
      const role = encodeURIComponent(`${systems.role}|radiologist`);
      const query = `role=${role}&active=true&_count=500&_include=PractitionerRole:practitioner`;
      const result = found(await client.search('PractitionerRole', query, signal));
      const byReference = new Map(
        result.all('PractitionerRole').flatMap(({ practitioner }): [string, Reader][] => {
          const reference = literalReference(practitioner);
          const name = practitionerName(result.at('Practitioner', practitioner), practitioner);
          return reference === undefined ? [] : [[reference, { reference, name: name ?? reference }]];
        }),
      );
      return [...byReference.values()].sort((a, b) => a.name.localeCompare(b.name, 'fr'));
    },
    staleTime: 60_000,
  });
}
