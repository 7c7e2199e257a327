/** What follows, before every commit, from a write of the directory: rows that claims look at, alerts, exclusions (CM-4, CM-5). */
import type { Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { watchGapsAhead } from '../rota/gaps.ts';
import type { Shell } from '../shell/perform.ts';
import { keepCredentials } from './credential-rows.ts';
import { keepsRegister, refusal, requireMember } from './entitled.ts';
import { excluded, reinstated } from './exclude.ts';
import { exclusionOf, keepExclusion } from './exclusion.ts';
import { watchExpiry } from './expiry.ts';
import { guardContact } from './guard-contact.ts';
import { qualificationsOf } from './qualification.ts';
import type { Reasons } from './reasons.ts';

export async function guardPeople(shell: Shell, reasons: Reasons, change: Change, tx: FhirTransaction): Promise<void> {
  if (change.type === 'Practitioner') return practitionerWritten(change, tx);
  if (change.type === 'PractitionerRole') return roleWritten(shell, reasons, change, tx);
}

async function practitionerWritten(change: Change, tx: FhirTransaction): Promise<void> {
  await guardContact(change, tx);
  const before = qualificationsOf(change.before as Practitioner | undefined);
  const after = qualificationsOf(change.after as Practitioner | undefined);
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (!keepsRegister(tx))
    throw refusal(
      422,
      'business-rule',
      'Qualifications of readers are recorded by administrators',
      'Les qualifications d’un radiologue sont enregistrées par un administrateur.',
      'Practitioner.qualification',
    );
  await keepCredentials(tx.sql, tx.context.tenant, change.id, after);
  await watchExpiry(tx, change.id, after);
  await watchGapsAhead(tx, change.id);
}

async function roleWritten(shell: Shell, reasons: Reasons, change: Change, tx: FhirTransaction): Promise<void> {
  const [before, after] = [change.before, change.after] as (PractitionerRole | undefined)[];
  await refuseStolenShifts(change, tx);
  const [was, is] = [exclusionOf(before), exclusionOf(after)];
  if (JSON.stringify(was) === JSON.stringify(is)) return;
  for (const exclusion of [was, is]) {
    if (exclusion === undefined) continue;
    if (!keepsRegister(tx))
      throw refusal(
        422,
        'business-rule',
        'Readers are excluded by coordinators and administrators',
        'Un radiologue est exclu par un coordonnateur ou un administrateur.',
        'PractitionerRole.extension',
      );
    requireMember(tx, exclusion.establishmentId);
  }
  if (is !== undefined && is.since > tx.context.now())
    throw refusal(
      422,
      'business-rule',
      'An exclusion takes effect at once: since is not in the future',
      'Une exclusion prend effet aussitôt : sa date n’est pas à venir.',
      'PractitionerRole.extension',
    );
  await keepExclusion(tx.sql, tx.context.tenant, change.id, is);
  const role = { ...(after ?? before), id: change.id } as PractitionerRole & { id: string };
  if (is !== undefined) await excluded(shell, tx, role, is, reasons.of(tx));
  else if (was !== undefined) await reinstated(shell, tx, role, was);
}

/** Whose shifts a role's are was checked when they were planned: another person or place would take them over unseen. */
async function refuseStolenShifts(change: Change, tx: FhirTransaction): Promise<void> {
  const [before, after] = [change.before, change.after] as (PractitionerRole | undefined)[];
  const isSame = (of: 'practitioner' | 'organization') => before?.[of]?.reference === after?.[of]?.reference;
  if (before === undefined || (isSame('practitioner') && isSame('organization'))) return;
  const { rows } = await tx.sql.query('SELECT FROM duty_shift WHERE tenant = $1 AND role_id = $2 LIMIT 1', [
    tx.context.tenant,
    change.id,
  ]);
  if (rows.length > 0)
    throw refusal(
      422,
      'business-rule',
      'A role with shifts keeps its person and its organization',
      'Ce rôle a des gardes : il garde sa personne et sa structure. Créez-en un autre.',
      'PractitionerRole.practitioner',
    );
}
