/** A tenant accepts an account of another tenant, and ends that: decided by people, told in the directory and the audit trail. */
import { randomUUID } from 'node:crypto';
import type { Practitioner } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import { type Context, FhirError, type FhirStore } from '../../fhir/index.ts';
import { findAccount, normaliseLogin } from '../accounts.ts';
import { isRole } from '../policy.ts';
import { refusal } from '../refusals.ts';
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
  if (!account || account.disabled)
    throw refusal(404, 'not-found', {
      diagnostics: `No usable account ${request.login}`,
      text: `Aucun compte utilisable « ${request.login} ».`,
    });
  if (account.tenant === tenant)
    throw invalid('login: an account of this tenant itself', 'Ce compte est déjà de ce groupe.');
  if (account.kind !== 'person')
    throw invalid('login: only people are accepted', 'Seules des personnes sont acceptées, pas des machines.');
  const home = await practitionerOf(store, account.tenant, account.reference);
  await announceAcceptance(database, account.login, tenant);
  return store.transaction(context, async (tx) => {
    await tx.lock(`acceptance ${account.login}`);
    for (const id of establishments) {
      if (!(await tx.find('Organization', id)))
        throw invalid(`establishments: no Organization/${id}`, `Aucune Organization/${id} dans ${tenant}.`);
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
      throw refusal(409, 'conflict', {
        diagnostics: `${acceptance.reference} is somebody else with an account here`,
        text: `${acceptance.reference} est quelqu’un d’autre, qui a un compte ici.`,
      });
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
    if (!ended)
      throw refusal(404, 'not-found', {
        diagnostics: `${login} is not accepted`,
        text: `« ${login} » n’est pas accepté.`,
      });
    await showEnd(tx, ended, now);
    return ended;
  });
}

/** @throws FhirError 422. */
function check({ roles, establishments, until }: AcceptanceRequest, since: Date, now: Date): void {
  if (roles.length === 0) throw invalid('roles: at least one', 'Donnez au moins un --role.');
  const wrong = roles.find((role) => !isRole(role) || ownOnly.includes(role));
  if (wrong !== undefined)
    throw invalid(
      `roles: ${wrong} is not a role to be accepted with`,
      `« ${wrong} » n’est pas un rôle avec lequel accepter quelqu’un.`,
    );
  if (establishments.length === 0) throw invalid('establishments: at least one', 'Donnez au moins un établissement.');
  checkEstablishments(establishments);
  if (until && (until <= since || until <= now))
    throw invalid('until: must lie ahead', '--until : un instant à venir, après --since.');
}

function invalid(diagnostics: string, text: string): FhirError {
  return refusal(422, 'invalid', { diagnostics, text });
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
