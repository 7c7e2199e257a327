/** Tying an account to an identity elsewhere: how somebody with an account comes to sign in by Pro Santé Connect. */
import type { Access } from '../access.ts';
import { findAccount, normaliseLogin } from '../accounts.ts';
import { deleteLink, insertLink, type SourceId } from '../federation/links.ts';
import { rppsOf } from '../federation/practitioner.ts';
import type { Caller } from '../own-account/caller.ts';
import { tellChange } from './change.ts';
import { checkTarget, told } from './rules.ts';

interface Tie {
  login: string;
  /** Name of an OpenID source of the tenant. */
  provider: string;
}

/** @param subject RPPS for Pro Santé Connect, `sub` elsewhere. @throws FhirError 403, 404, 409, 422. */
export async function tieAccount(
  access: Access,
  caller: Caller,
  { login, provider }: Tie,
  subject: string,
): Promise<void> {
  const { rooms, sources } = access.federation;
  const { tenant } = caller.account;
  const source = sources.openid.find((one) => one.name === provider && one.tenant === tenant);
  if (!source) throw told(404, 'not-found', 'Ce fournisseur d’identité n’existe pas.');
  const target = await findAccount(rooms.database, normaliseLogin(login));
  checkTarget(caller.account, target);
  if (target.kind !== 'person') throw told(409, 'conflict', 'Une machine n’a pas d’identité de personne.');
  const rpps = rppsOf(subject);
  if (source.profile === 'pro-sante-connect' && rpps === undefined) {
    throw told(422, 'invalid', 'Donnez le numéro RPPS : onze chiffres.');
  }
  const id: SourceId = `openid/${source.name}`;
  const isTied = await rooms.database.transaction(tenant, (sql) =>
    insertLink(sql, tenant, {
      source: id,
      // The national id of somebody with an RPPS is this digit and the number.
      subject: source.profile === 'pro-sante-connect' ? `8${rpps}` : subject,
      ...{ login: target.login, follows: false, linkedBy: caller.account.login, linkedAt: rooms.securityClock.now() },
    }),
  );
  if (!isTied) throw told(409, 'conflict', 'Cette identité ou ce compte est déjà rattaché.');
  await tellChange(access, caller, target, { change: 'tied', source: id });
}

/** @throws FhirError 403, 404. */
export async function untieAccount(access: Access, caller: Caller, { login, provider }: Tie): Promise<void> {
  const { database } = access.federation.rooms;
  const { tenant } = caller.account;
  const target = await findAccount(database, normaliseLogin(login));
  checkTarget(caller.account, target);
  const source: SourceId = `openid/${provider}`;
  const wasTied = await database.transaction(tenant, (sql) => deleteLink(sql, tenant, { source, login: target.login }));
  if (!wasTied) throw told(404, 'not-found', 'Ce compte n’est pas rattaché à ce fournisseur.');
  await tellChange(access, caller, target, { change: 'untied', source });
}
