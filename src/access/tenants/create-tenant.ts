/**
 * A new tenant: a hospital group as a legal entity, its establishments and their units, each an Organization `partOf` the one above
 * (https://hl7.org/fhir/R4/organization.html). Made again, it adds what is missing and leaves what is there.
 */
import type { Identifier, Organization } from '@medplum/fhirtypes';
import type { Context, FhirStore, FhirTransaction } from '../../fhir/index.ts';
import { frenchIdentifierTypes, passerelle } from '../codes.ts';
import { refusal } from '../refusals.ts';
import type { TenantDescription } from './description.ts';

const finessSystem = 'https://finess.esante.gouv.fr';
const organizationTypes = 'http://terminology.hl7.org/CodeSystem/organization-type';
const unitSystem = `${passerelle}/sid/unit`;

/** @param contextIn circumstances of the operator in a tenant. @returns ids of the establishments, in the order described. */
export async function createTenant(
  { store }: { store: FhirStore },
  contextIn: (tenant: string) => Context,
  description: TenantDescription,
): Promise<string[]> {
  const { tenant, display, legalEntity, establishments } = description;
  if (tenant === 'all')
    throw refusal(422, 'invalid', {
      diagnostics: 'tenant: "all" is the name of every tenant together',
      text: 'tenant : « all » est le nom de tous les groupes ensemble, choisissez-en un autre.',
    });
  await store.addTenant(tenant, display);
  return store.transaction(contextIn(tenant), async (tx) => {
    const group = await ensure(tx, structure('FINEJ', legalEntity.finess, legalEntity.name ?? display));
    const ids: string[] = [];
    for (const { finess, name, units } of establishments) {
      const id = await ensure(tx, {
        ...structure('FINEG', finess, name),
        partOf: { reference: `Organization/${group}` },
      });
      for (const unit of units)
        await ensure(tx, { ...unitOf(finess, unit), partOf: { reference: `Organization/${id}` } });
      ids.push(id);
    }
    // What the platform does by itself is done by this device (docs/fhir-conventions.md).
    if (!(await tx.find('Device', 'passerelle')))
      await tx.create({
        resourceType: 'Device',
        id: 'passerelle',
        deviceName: [{ name: 'Passerelle', type: 'user-friendly-name' }],
      });
    return ids;
  });
}

type Named = Organization & { id: string; identifier: [Identifier] };

/** Id of the organisation with this identifier, made when there is none. */
async function ensure(tx: FhirTransaction, organization: Named): Promise<string> {
  const [{ system, value }] = organization.identifier;
  const criteria = `identifier=${encodeURIComponent(`${system}|${value}`)}`;
  return (await tx.createIfNone(organization, criteria)).resource.id;
}

function structure(code: 'FINEJ' | 'FINEG', finess: string, name: string): Named {
  return {
    resourceType: 'Organization',
    id: `finess-${finess}`.toLowerCase(),
    active: true,
    identifier: [
      {
        use: 'official',
        type: { coding: [{ system: frenchIdentifierTypes, code }] },
        system: finessSystem,
        value: finess,
      },
    ],
    type: [{ coding: [{ system: organizationTypes, code: 'prov', display: 'Healthcare Provider' }] }],
    name,
  };
}

function unitOf(finess: string, { code, name }: { code: string; name: string }): Named {
  return {
    resourceType: 'Organization',
    id: `finess-${finess}-${code}`.toLowerCase(),
    active: true,
    identifier: [{ system: `${unitSystem}/${finess}`, value: code }],
    type: [{ coding: [{ system: organizationTypes, code: 'dept', display: 'Hospital Department' }] }],
    name,
  };
}
