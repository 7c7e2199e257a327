/** Under which PractitionerRole somebody works for an establishment (https://hl7.org/fhir/R4/practitionerrole.html). */
import type { PractitionerRole } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { concept, passerelle } from '../codes.ts';
import { nameOf } from './names.ts';

export const roleSystem = `${passerelle}/CodeSystem/role`;
const readerSystem = `${passerelle}/sid/reader`;

export type StoredRole = PractitionerRole & { id: string };

/** The role under which a reader reads for an establishment, made when the directory has none. */
export async function readerRole(
  tx: FhirTransaction,
  practitionerId: string,
  establishmentId: string,
  code = 'radiologist',
): Promise<StoredRole> {
  const [known] = await rolesOf(tx, practitionerId, establishmentId, code);
  if (known) return known;
  const practitioner = await tx.whole.read('Practitioner', practitionerId);
  const value = `${establishmentId}.${practitionerId}.${code}`;
  const role: PractitionerRole = {
    resourceType: 'PractitionerRole',
    identifier: [{ system: readerSystem, value }],
    active: true,
    practitioner: { reference: `Practitioner/${practitionerId}`, display: nameOf(practitioner, practitionerId) },
    organization: { reference: `Organization/${establishmentId}` },
    code: [concept(roleSystem, code)],
  };
  const criteria = `identifier=${encodeURIComponent(`${readerSystem}|${value}`)}`;
  return (await tx.whole.createIfNone(role, criteria)).resource as StoredRole;
}

/** Roles of somebody at an establishment, the ones in force first. */
async function rolesOf(
  tx: FhirTransaction,
  practitionerId: string,
  establishmentId: string,
  code: string,
): Promise<StoredRole[]> {
  const token = encodeURIComponent(`${roleSystem}|${code}`);
  const roles = await tx.whole.search(
    'PractitionerRole',
    `practitioner=Practitioner/${practitionerId}&organization=Organization/${establishmentId}&role=${token}`,
  );
  return (roles as StoredRole[]).toSorted((a, b) => Number(b.active !== false) - Number(a.active !== false));
}
