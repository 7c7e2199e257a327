/**
 * Which tenant a request is about, and who its caller is there: `/fhir` is the caller's own, `/t/<tenant>/fhir` any that accepted
 * the account (design §5 rule 8). A tenant that accepted nobody and one that does not exist answer alike.
 */
import { type Database, platformTenant } from '../../db/index.ts';
import type { Actor, Context } from '../../fhir/index.ts';
import { actorOf, findAccount } from '../accounts.ts';
import { refusal } from '../refusals.ts';
import { findClient } from '../smart/client.ts';
import { type Acceptance, acceptanceAt, acceptingTenants } from './acceptance.ts';
import { establishmentsOf } from './establishments.ts';
import { directoryReader } from './shared-reading.ts';

/** A caller in one tenant. */
export type Identity = Pick<Context, 'tenant' | 'actor' | 'establishments'>;

export interface TenantDoor {
  /** The caller in a tenant named by an address. @param identified the caller at home. @throws FhirError 403. */
  stepInto(identified: Identity, tenant: string): Promise<Identity>;
  /** Where else than at home the caller may work, by name of the tenant. */
  elsewhere(identified: Identity): Promise<Identity[]>;
  /** An account as it acts in a tenant now; undefined when it is gone, shut off, or not accepted there. */
  identityIn(tenant: string, login: string): Promise<Identity | undefined>;
}

const tenantSyntax = /^[a-z][a-z0-9-]{1,30}$/;
const nobodysName = '-';

export function createTenantDoor(options: {
  database: Database;
  /** The machine's time. */
  now: () => Date;
  /** Public address, for references into the caller's own tenant. */
  baseUrl: () => string;
}): TenantDoor {
  const { database, now, baseUrl } = options;

  async function accepted({ tenant: home, actor }: Identity, tenant: string): Promise<Identity | undefined> {
    // A name that no tenant can have is asked about all the same, under one that nobody has: time would tell.
    const asked = tenantSyntax.test(tenant) ? tenant : nobodysName;
    const found = await acceptanceAt(database, asked, actor.account, now());
    if (found?.homeTenant !== home || actor.kind !== 'person' || !(await isWelcome(actor))) return undefined;
    return { tenant, actor: actorThere(home, actor, found), establishments: found.establishments };
  }

  /** Who accepted a person did not accept the apps of that person's tenant: those of the platform are for every tenant. */
  async function isWelcome({ client }: Actor): Promise<boolean> {
    return client === undefined || (await findClient(database, client))?.tenant === platformTenant;
  }

  return {
    async stepInto(identified, tenant) {
      const { tenant: home, actor } = identified;
      if (tenant === home) return identified;
      const there = await accepted(identified, tenant);
      if (there) return there;
      if (tenant === platformTenant) return directoryReader(home, actor, baseUrl());
      throw refusal(403, 'forbidden', {
        diagnostics: 'This tenant did not accept the account',
        text: 'Cet établissement ne vous a pas ouvert ses dossiers.',
      });
    },
    async elsewhere(identified) {
      const tenants = await acceptingTenants(database, identified.actor.account);
      const asked = await Promise.all(tenants.map((tenant) => accepted(identified, tenant)));
      return asked.filter((identity) => identity !== undefined);
    },
    async identityIn(tenant, login) {
      const account = await findAccount(database, login);
      if (!account || account.disabled) return undefined;
      const identified = { tenant: account.tenant, actor: actorOf(account) };
      if (account.tenant !== tenant) return accepted(identified, tenant);
      const establishments = await establishmentsOf(database, tenant, login);
      return { ...identified, ...(establishments.length > 0 ? { establishments } : {}) };
    },
  };
}

/**
 * The same person, with what the accepting tenant granted and nothing of what is granted at home. The patient a token is about is one of
 * home: who has the same id there is somebody else.
 */
function actorThere(
  home: string,
  { patient: _patientAtHome, ...actor }: Actor,
  { reference, roles }: Acceptance,
): Actor {
  return { ...actor, home, reference, roles };
}

/** The tenant a request's address names, `/t/[tenant]/…`; undefined when it names none. */
export function addressedTenant({ params }: { params?: unknown }): string | undefined {
  const tenant = (params as { tenant?: unknown } | null | undefined)?.tenant;
  return typeof tenant === 'string' ? tenant : undefined;
}

/** What the trail calls an attempt at a tenant that is not open to the caller. */
export const crossTenant = 'cross-tenant';
