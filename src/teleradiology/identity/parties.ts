/** Finds or makes the organisations and professionals of a message, by FINESS and RPPS; never by name (ID-3). */
import type { Identifier, Organization, Practitioner } from '@medplum/fhirtypes';
import { type FhirTransaction, identifierQuery } from '../../fhir/index.ts';
import { identifierSystem } from '../codes.ts';

/** Identifiers worth looking a professional up by, the national ones first. */
function professionalKeys(practitioner: Practitioner): Identifier[] {
  const rank = (identifier: Identifier): number =>
    identifier.system === identifierSystem.rpps
      ? 0
      : identifier.system === identifierSystem.nationalProfessional
        ? 1
        : 2;
  return (practitioner.identifier ?? [])
    .filter((identifier) => identifier.system !== undefined && identifier.value !== undefined)
    .sort((a, b) => rank(a) - rank(b));
}

/** The professional with one of these identifiers, made when nobody has them; one without identifier is always a new one. */
export async function upsertPractitioner(
  tx: FhirTransaction,
  practitioner: Practitioner,
): Promise<Practitioner & { id: string }> {
  const keys = professionalKeys(practitioner);
  for (const { system, value } of keys) {
    const matches = await tx.search('Practitioner', `${identifierQuery(system, value)}&_count=2`);
    if (matches[0]) return matches[0] as Practitioner & { id: string };
  }
  const [first] = keys;
  if (first === undefined) return tx.create(practitioner);
  const criteria = identifierQuery(first.system, first.value);
  return (await tx.createIfNone(practitioner, criteria)).resource;
}

/** The organisation with this FINESS, made as part of the establishment when it is new; the establishment itself without FINESS. */
export async function upsertOrganization(
  tx: FhirTransaction,
  organization: Organization,
  establishment: Organization & { id: string },
): Promise<string> {
  const finess = organization.identifier?.find(
    (identifier) => identifier.system === identifierSystem.finess && identifier.value,
  );
  const its = establishment.identifier?.some((each) => each.system === finess?.system && each.value === finess?.value);
  if (finess === undefined || its) return establishment.id;
  const criteria = identifierQuery(finess.system, finess.value);
  const matches = await tx.search('Organization', `${criteria}&_count=10`);
  if (matches[0]?.id) return matches[0].id;
  const made: Organization = {
    ...organization,
    active: true,
    partOf: { reference: `Organization/${establishment.id}` },
  };
  return (await tx.createIfNone(made, criteria)).resource.id;
}
