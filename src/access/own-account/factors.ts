/**
 * Setting second factors up and taking them off: on the page of one's account, and in the step of a sign-in that asks for one. The
 * first factor brings recovery codes, and the last one of somebody whose role needs it stays.
 */
import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import { FhirError } from '../../fhir/index.ts';
import type { Account } from '../accounts.ts';
import { refusal } from '../refusals.ts';
import { factorsOf, hasFactor, removeEveryFactor } from '../second-factor/factors.ts';
import { keepPasskey, type PasskeyRooms, passkeyCreation, removePasskey } from '../second-factor/passkeys.ts';
import { dropRecoveryCodes, makeRecoveryCodes } from '../second-factor/recovery-codes.ts';
import type { FactorRooms } from '../second-factor/rooms.ts';
import { beginTotp, confirmTotp, type TotpEnrolment } from '../second-factor/totp.ts';
import { mustHaveFactor } from '../sign-in/duty.ts';
import { closePendingOf } from '../sign-in/pending.ts';
import type { AccountRooms, Doing } from './rooms.ts';
import { endSessions } from './sessions.ts';

/** What a factor that was just set up brings: recovery codes when there were none, readable only now. */
export interface FactorAdded {
  recoveryCodes?: string[];
}

/** @throws FhirError 409 when one is set up, 503 when nothing can be sealed. */
export function startTotp(rooms: AccountRooms, account: Account): Promise<TotpEnrolment> {
  return beginTotp(factorRooms(rooms), account, rooms.securityClock.now());
}

/** @returns undefined when the code is not the new application's. */
export async function finishTotp(rooms: AccountRooms, doing: Doing, code: string): Promise<FactorAdded | undefined> {
  const isRight = await confirmTotp(factorRooms(rooms), doing.account, code, rooms.securityClock.now());
  return isRight ? added(rooms, doing, 'totp') : undefined;
}

/** @throws FhirError 503 when our address cannot hold passkeys. */
export function startPasskey(rooms: AccountRooms, account: Account) {
  return passkeyCreation(passkeyRooms(rooms), account, rooms.securityClock.now());
}

/** @returns undefined when the browser's answer proves nothing. */
export async function finishPasskey(
  rooms: AccountRooms,
  doing: Doing,
  answer: { ticket: string; response: RegistrationResponseJSON; label: string },
): Promise<FactorAdded | undefined> {
  const isKept = await keepPasskey(passkeyRooms(rooms), doing.account, answer, rooms.securityClock.now());
  return isKept ? added(rooms, doing, 'passkey') : undefined;
}

async function added(rooms: AccountRooms, doing: Doing, reason: string): Promise<FactorAdded> {
  await tell(rooms, doing, 'factor-added', reason);
  const { recoveryCodes } = await factorsOf(rooms.database, doing.account.tenant, doing.account.login);
  return recoveryCodes > 0 ? {} : { recoveryCodes: await renewRecoveryCodes(rooms, doing) };
}

/** New recovery codes; the old ones are worth nothing. */
export async function renewRecoveryCodes(rooms: AccountRooms, doing: Doing): Promise<string[]> {
  const codes = await makeRecoveryCodes(rooms.database, doing.account);
  await tell(rooms, doing, 'recovery-codes-made');
  return codes;
}

/**
 * Takes one factor off. @param id of a passkey; undefined: the authenticator application.
 * @throws FhirError 404 when there is none, 403 when the role needs it and it is the last.
 */
export async function removeFactor(rooms: AccountRooms, doing: Doing, id?: string): Promise<void> {
  const { account } = doing;
  const { tenant, login } = account;
  const { totp, passkeys } = await factorsOf(rooms.database, tenant, login);
  const isLast = passkeys.length + (totp ? 1 : 0) === 1;
  if (isLast && (await mustHaveFactor(rooms, account, rooms.securityClock.now()))) {
    throw refusal(403, 'forbidden', {
      diagnostics: 'The role needs a second factor and this is the last one',
      text: 'Votre rôle exige un second facteur : ajoutez-en un autre avant de retirer celui-ci.',
    });
  }
  const isRemoved =
    id === undefined ? await removeTotp(rooms, account) : await removePasskey(rooms.database, account, id);
  if (!isRemoved) throw new FhirError(404, 'not-found', 'No such factor');
  // Codes that stand in for a factor end with the last one: the next brings its own.
  if (isLast) await dropRecoveryCodes(rooms.database, account);
  await tell(rooms, doing, 'factor-removed', id === undefined ? 'totp' : 'passkey');
}

/** Takes everything off and ends the sessions: somebody lost telephone and key. @returns whether there was a factor. */
export async function resetFactors(rooms: AccountRooms, doing: Doing): Promise<boolean> {
  const { tenant, login } = doing.account;
  const had = hasFactor(await factorsOf(rooms.database, tenant, login));
  await rooms.database.transaction(tenant, async (sql) => {
    await removeEveryFactor(sql, tenant, login);
    await endSessions(sql, tenant, login);
    await closePendingOf(sql, tenant, login);
  });
  rooms.forgetCredentials();
  await tell(rooms, doing, 'factor-removed', 'every factor');
  return had;
}

async function removeTotp({ database }: AccountRooms, { tenant, login }: Account): Promise<boolean> {
  const { rowCount } = await database.query(tenant, 'DELETE FROM totp_factor WHERE tenant = $1 AND login = $2', [
    tenant,
    login,
  ]);
  return rowCount === 1;
}

function tell(
  rooms: AccountRooms,
  { context, account }: Doing,
  kind: 'factor-added' | 'factor-removed' | 'recovery-codes-made',
  reason?: string,
): Promise<void> {
  const { reference, login } = account;
  return rooms.trail.accountSecurity(context, {
    kind,
    account: { reference, login },
    outcome: 'success',
    ...(reason ? { reason } : {}),
  });
}

export function factorRooms({ database, sealer }: AccountRooms): FactorRooms {
  if (!sealer) throw new FhirError(503, 'not-supported', 'Second factors need a key to seal them');
  return { database, sealer };
}

export function passkeyRooms(rooms: AccountRooms): PasskeyRooms {
  const party = rooms.party();
  if (!party) throw new FhirError(503, 'not-supported', 'Passkeys need a BASE_URL with a name and TLS');
  return { ...factorRooms(rooms), party };
}
