/** `$exclude` and `$reinstate`, and what follows from an exclusion however it was written (CM-5). */
import type { PractitionerRole, Provenance } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type DueTime, setDueTime } from '../clock/index.ts';
import { concept } from '../codes.ts';
import { watchGapsAhead } from '../rota/gaps.ts';
import type { Shell } from '../shell/perform.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { refusal, requireMember } from './entitled.ts';
import { type Exclusion, exclusionOf, withExclusion, withoutExclusion } from './exclusion.ts';
import { counted, nameOf } from './names.ts';
import { readerRole, type StoredRole } from './reader-role.ts';
import type { Reasons } from './reasons.ts';
import { releaseCases } from './release-cases.ts';
import { tellStaff } from './tell.ts';

/** Activities of Provenance (v3-DataOperation): suspend and resume say what an exclusion does to a role. */
const activitySystem = 'http://terminology.hl7.org/CodeSystem/v3-DataOperation';

/** @throws FhirError 403 for somebody of another establishment, 409 when the reader is excluded already. */
export async function exclude(
  reasons: Reasons,
  tx: FhirTransaction,
  practitionerId: string,
  establishmentId: string,
  reason: string,
): Promise<PractitionerRole> {
  requireMember(tx, establishmentId);
  await tx.lock(`reader:${establishmentId}:${practitionerId}`);
  await tx.whole.read('Organization', establishmentId);
  const role = await readerRole(tx, practitionerId, establishmentId);
  if ((await excludedRoles(tx, practitionerId, establishmentId)).length > 0)
    throw refusal(
      409,
      'conflict',
      'This reader is excluded already',
      'Ce radiologue est déjà exclu par l’établissement.',
    );
  // The rest follows from the write itself, whoever makes it (`excluded`).
  reasons.give(tx, reason);
  return tx.whole.update(withExclusion(role, tx.context.now(), tx.context.actor.reference));
}

/** @throws FhirError 403, 409 when the reader is not excluded. */
export async function reinstate(
  tx: FhirTransaction,
  practitionerId: string,
  establishmentId: string,
): Promise<PractitionerRole> {
  requireMember(tx, establishmentId);
  await tx.lock(`reader:${establishmentId}:${practitionerId}`);
  const excluded = await excludedRoles(tx, practitionerId, establishmentId);
  let last: PractitionerRole | undefined;
  for (const role of excluded) last = await tx.whole.update({ ...withoutExclusion(role), active: true });
  if (last === undefined)
    throw refusal(409, 'conflict', 'This reader is not excluded', 'Ce radiologue n’est pas exclu par l’établissement.');
  return last;
}

async function excludedRoles(tx: FhirTransaction, practitionerId: string, establishmentId: string) {
  const roles = await tx.whole.search(
    'PractitionerRole',
    `practitioner=Practitioner/${practitionerId}&organization=Organization/${establishmentId}`,
  );
  return (roles as StoredRole[]).filter((role) => exclusionOf(role) !== undefined);
}

const releaseReason = 'Radiologue exclu par l’établissement.';

/** A claim that was under way at the instant of an exclusion has ended by then, one way or the other. */
const secondLookMs = 30_000;

/** What follows from an exclusion that was just written: cases in hand go back, people are told, a Provenance says who decided. */
export async function excluded(
  shell: Shell,
  tx: FhirTransaction,
  role: StoredRole,
  exclusion: Exclusion,
  reason: string | undefined,
): Promise<void> {
  const { practitionerId, establishmentId } = exclusion;
  const released = await releaseCases(shell, tx, practitionerId, establishmentId, releaseReason);
  await setDueTime(tx.sql, tx.context.tenant, {
    caseId: `PractitionerRole/${role.id}`,
    kind: 'exclusion',
    key: exclusion.since.toISOString(),
    dueAt: new Date(tx.context.now().getTime() + secondLookMs),
  });
  await watchGapsAhead(tx, practitionerId, establishmentId);
  const shifts = await shiftsAhead(tx, practitionerId, establishmentId);
  const motive = reason === undefined ? '' : ` Motif : ${reason.replace(/\.$/, '')}.`;
  const cases =
    released === 0 ? 'Aucun dossier en cours.' : `${counted(released, 'dossier rendu')} à la liste de travail.`;
  const planned = shifts === 0 ? '' : ` À couvrir : ${counted(shifts, 'garde')} à venir.`;
  await told(
    shell,
    tx,
    exclusion,
    `a exclu ${await readerName(tx, practitionerId)} avec effet immédiat.${motive} ${cases}${planned}`,
    {
      notice: true,
    },
  );
  await trace(tx, role, 'SUSPEND', reason);
}

/** Looks again for cases that were taken while the exclusion was being written, and gives them back too. */
export async function raiseExclusion(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  const exclusion = exclusionOf(await tx.find('PractitionerRole', due.caseId.slice('PractitionerRole/'.length)));
  if (exclusion?.since.toISOString() !== due.key) return;
  const { practitionerId, establishmentId } = exclusion;
  await releaseCases(shell, tx, practitionerId, establishmentId, releaseReason);
}

export async function reinstated(
  shell: Shell,
  tx: FhirTransaction,
  role: StoredRole,
  before: Exclusion,
): Promise<void> {
  await told(shell, tx, before, `rétablit ${await readerName(tx, before.practitionerId)}, qui peut de nouveau lire.`, {
    notice: false,
  });
  await trace(tx, role, 'RESUME', undefined);
}

async function told(
  shell: Shell,
  tx: FhirTransaction,
  { practitionerId, establishmentId }: Exclusion,
  what: string,
  { notice }: { notice: boolean },
): Promise<void> {
  const establishment = await tx.whole.find('Organization', establishmentId);
  const platform = await anyPlatformId(tx.whole);
  const [reader, place] = [`Practitioner/${practitionerId}`, `Organization/${establishmentId}`];
  await tellStaff(shell, tx, {
    category: 'reader-exclusion',
    text: `${establishment?.name ?? establishmentId} ${what}`,
    recipients: [reader, platform === undefined ? undefined : `Organization/${platform}`, place],
    about: [reader, place],
    // Not labelled as the establishment's: all of its people would read it.
    urgent: true,
    ...(notice
      ? { notice: { template: 'exclusion' as const, values: { professional: reader, establishment: place } } }
      : {}),
  });
}

const readerName = async (tx: FhirTransaction, id: string): Promise<string> =>
  nameOf(await tx.whole.find('Practitioner', id), id);

async function trace(
  tx: FhirTransaction,
  role: StoredRole,
  activity: 'SUSPEND' | 'RESUME',
  reason: string | undefined,
): Promise<void> {
  const { actor } = tx.context;
  await tx.whole.create<Provenance>({
    resourceType: 'Provenance',
    target: [{ reference: `PractitionerRole/${role.id}` }],
    recorded: tx.context.now().toISOString(),
    activity: concept(activitySystem, activity),
    ...(reason ? { reason: [{ text: reason }] } : {}),
    agent: [{ who: { reference: actor.reference, display: actor.display } }],
  });
}

async function shiftsAhead(tx: FhirTransaction, practitionerId: string, establishmentId: string): Promise<number> {
  const { rows } = await tx.sql.query<{ shifts: number }>(
    `SELECT count(*)::int AS shifts FROM duty_shift
     WHERE tenant = $1 AND practitioner_id = $2 AND establishment_id = $3 AND kind = 'radiologist' AND ends_at > $4`,
    [tx.context.tenant, practitionerId, establishmentId, tx.context.now()],
  );
  return rows[0]?.shifts ?? 0;
}
