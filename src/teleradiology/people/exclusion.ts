/** An establishment refuses a reader, with immediate effect (CM-5): extension of the reader's PractitionerRole there. */
import type { Extension, PractitionerRole } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { part, passerelle } from '../codes.ts';
import { idOf } from '../shell/case-task.ts';

const exclusionUrl = `${passerelle}/StructureDefinition/reader-exclusion`;

export interface Exclusion {
  practitionerId: string;
  establishmentId: string;
  since: Date;
}

/** The exclusion a role shows; undefined for a role without, or without somebody and somewhere. */
export function exclusionOf(role: PractitionerRole | undefined): Exclusion | undefined {
  const extension = role?.extension?.find(({ url }) => url === exclusionUrl);
  const practitionerId = idOf(role?.practitioner, 'Practitioner');
  const establishmentId = idOf(role?.organization, 'Organization');
  const since = part(extension, 'since')?.valueInstant;
  if (practitionerId === undefined || establishmentId === undefined || since === undefined) return undefined;
  return { practitionerId, establishmentId, since: new Date(since) };
}

/** Why is not in it: everybody reads the directory. */
export function withExclusion<R extends PractitionerRole>(role: R, since: Date, by: string): R {
  const extension: Extension = {
    url: exclusionUrl,
    extension: [
      { url: 'since', valueInstant: since.toISOString() },
      { url: 'by', valueReference: { reference: by } },
    ],
  };
  const without = withoutExclusion(role);
  return { ...without, active: false, extension: [...(without.extension ?? []), extension] };
}

export function withoutExclusion<R extends PractitionerRole>(role: R): R {
  const { extension, ...rest } = role;
  const others = (extension ?? []).filter(({ url }) => url !== exclusionUrl);
  return { ...rest, ...(others.length > 0 ? { extension: others } : {}) } as R;
}

/** Keeps the row that claims and signatures look at. */
export async function keepExclusion(
  sql: Sql,
  tenant: string,
  roleId: string,
  exclusion: Exclusion | undefined,
): Promise<void> {
  await sql.query('DELETE FROM reader_exclusion WHERE tenant = $1 AND role_id = $2', [tenant, roleId]);
  if (exclusion === undefined) return;
  await sql.query(
    `INSERT INTO reader_exclusion (tenant, practitioner_id, establishment_id, role_id, since) VALUES ($1, $2, $3, $4, $5)`,
    [tenant, exclusion.practitionerId, exclusion.establishmentId, roleId, exclusion.since],
  );
}
