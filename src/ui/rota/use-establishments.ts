/** Establishments of the tenant, and which one is looked at. */
import { useQuery } from '@tanstack/react-query';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';

const settings = 'https://fhir.passerelle.example/StructureDefinition/establishment-settings';

/** Those with settings of a contract, by name; every structure where none has any. */
export function useEstablishments(): { value: string; label: string }[] | undefined {
  const { client } = useServices();
  const organizations = useQuery({
    queryKey: ['establishments'],
    queryFn: async ({ signal }) => found(await client.search('Organization', '_count=500', signal)).all('Organization'),
    staleTime: 60_000,
  });
  if (organizations.data === undefined) return undefined;
  const served = organizations.data.filter(({ extension }) => extension?.some(({ url }) => url === settings));
  return (served.length > 0 ? served : organizations.data)
    .map(({ id = '', name }) => ({ value: id, label: name ?? id }))
    .sort((one, other) => one.label.localeCompare(other.label, 'fr'));
}
