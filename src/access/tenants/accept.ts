/** A tenant accepts an account of another tenant, and ends that: decided by people, told in the directory and the audit trail. */
import { randomUUID } from 'node:crypto';
import type { Practitioner } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import { type Context, FhirError, type FhirStore } from '../../fhir/index.ts';
import { findAccount, normaliseLogin } from '../accounts.ts';
import { isRole } from '../policy.ts';
import { type Acceptance, announceAcceptance, endAcceptance, insertAcceptance, loginsActingAs } from './acceptance.ts';
import { checkEstablishments } from './establishments.ts';
import { practitionerHere, showAcceptance, showEnd } from './shown-acceptance.ts';

export interface AcceptanceRequest {
  login: string;
  roles: readonly string[];
  /** Ids of Organizations of the accepting tenant. */
  establishments: readonly string[];
  /** From now on when absent. */
  since?: Date;
  until?: Date;
}

/** What nobody of another tenant is here: who manages accounts, and machines, which are each bound to one establishment. */
const ownOnly: readonly string[] = ['administrator', 'ris', 'conformance'];

/**
 * Accepts an account in the tenant of `context`, in the place of an acceptance that was open.
 * @param now the machine's time, by which acceptances begin and end.
 * @throws FhirError 404 no such account, 409 the directory takes the person for another one, 422.
 */
export async function accept(
  rooms: { database: Database; store: FhirStore },
  context: Context,
  request: AcceptanceRequest,
  now: Date,
): Promise<Acceptance> {
  const { database, store } = rooms;
  const { tenant } = context;
  const { roles, establishments, since = now, until } = request;
  check(request, since, now);
  const account = await findAccount(database, normaliseLogin(request.login));
  if (!account || account.disabled) throw new FhirError(404, 'not-found', `No usable account ${request.login}`);
  if (account.tenant === tenant) throw new FhirError(422, 'invalid', 'login: an account of this tenant itself');
  if (account.kind !== 'person') throw new FhirError(422, 'invalid', 'login: only people are accepted');
  const home = await practitionerOf(store, account.tenant, account.reference);
  await announceAcceptance(database, account.login, tenant);
  return store.transaction(context, async (tx) => {
    await tx.lock(`acceptance ${account.login}`);
    for (const id of establishments) {
      if (!(await tx.find('Organization', id)))
        throw new FhirError(422, 'invalid', `establishments: no Organization/${id}`);
    }
    const by = context.actor.account;
    const before = await endAcceptance(tx.sql, { tenant, login: account.login, by, now });
    if (before) await showEnd(tx, before, now);
    const acceptance: Acceptance = {
      ...{ tenant, id: randomUUID(), login: account.login, homeTenant: account.tenant, roles, establishments, since },
      reference: `Practitioner/${await practitionerHere(tx, account, home)}`,
      ...(until ? { until } : {}),
      acceptedBy: by,
      acceptedAt: now,
    };
    // Whoever edits the directory of the tenant must not be able to make one person act as another.
    const acting = await loginsActingAs(database, tenant, acceptance.reference);
    if (acting.some((login) => login !== account.login)) {
      throw new FhirError(409, 'conflict', `${acceptance.reference} is somebody else with an account here`);
    }
    await insertAcceptance(tx.sql, acceptance);
    await showAcceptance(tx, acceptance, account.display);
    return acceptance;
  });
}

/** Ends an acceptance in the tenant of `context`, at once. @throws FhirError 404 when none was open. */
export async function revoke(store: FhirStore, context: Context, login: string, now: Date): Promise<Acceptance> {
  const { tenant, actor } = context;
  return store.transaction(context, async (tx) => {
    await tx.lock(`acceptance ${login}`);
    const ended = await endAcceptance(tx.sql, { tenant, login: normaliseLogin(login), by: actor.account, now });
    if (!ended) throw new FhirError(404, 'not-found', `${login} is not accepted`);
    await showEnd(tx, ended, now);
    return ended;
  });
}

/** @throws FhirError 422. */
function check({ roles, establishments, until }: AcceptanceRequest, since: Date, now: Date): void {
  if (roles.length === 0) throw new FhirError(422, 'invalid', 'roles: at least one');
  const wrong = roles.find((role) => !isRole(role) || ownOnly.includes(role));
  if (wrong !== undefined) throw new FhirError(422, 'invalid', `roles: ${wrong} is not a role to be accepted with`);
  if (establishments.length === 0) throw new FhirError(422, 'invalid', 'establishments: at least one');
  checkEstablishments(establishments);
  if (until && (until <= since || until <= now)) throw new FhirError(422, 'invalid', 'until: must lie ahead');
}

async function practitionerOf(store: FhirStore, tenant: string, reference: string): Promise<Practitioner | undefined> {
  const [type, id = ''] = reference.split('/');
  if (type !== 'Practitioner') return undefined;
  try {
    return await store.read(tenant, 'Practitioner', id);
  } catch (error) {
    if (error instanceof FhirError && error.status < 500) return undefined;
    throw error;
  }
}
