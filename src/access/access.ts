import { hostname } from 'node:os';
import { type Clock, systemClock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import { type Context, FhirError, type FhirGuards, type FhirStore } from '../fhir/index.ts';
import {
  type Account,
  type AccountRequest,
  ensureAccount,
  findAccount,
  listAccounts,
  normaliseLogin,
  setDisabled,
} from './accounts.ts';
import { createTrail } from './audit/trail.ts';
import { createAuthenticator, presentedSecret } from './authenticate.ts';
import { issueCredential, revokeCredential } from './credentials.ts';
import { createPasswordHasher } from './passwords.ts';
import { isGranted } from './policy.ts';
import { notGranted } from './refusals.ts';
import { type SignInAttempt, type SignInResult, signIn } from './sign-in.ts';
import { createThrottle } from './throttle.ts';

export interface AccessOptions {
  database: Database;
  store: FhirStore;
  /** Clock of the platform: what the trail records. */
  clock: Clock;
  /** Served over TLS: Secure cookies. */
  secure: boolean;
  log?: { warn(object: object, message: string): void; error(object: object, message: string): void };
  /** Public address, for the trail; the machine's name when absent. */
  baseUrl?: () => string;
  /** Clock of sessions, tokens and delays: the machine's, even when a demonstration runs on a faster one. */
  securityClock?: Clock;
}

/** Who you are, what you may, and the trail of it. */
export interface Access extends FhirGuards {
  readonly secure: boolean;
  /** Makes an account or brings it to this state. @throws FhirError 409, 422. */
  ensureAccount(request: AccountRequest): Promise<void>;
  listAccounts(tenant: string): Promise<Omit<Account, 'passwordHash'>[]>;
  /** Shuts an account off or on; other servers follow within five seconds. @throws FhirError 404. */
  setDisabled(login: string, disabled: boolean): Promise<void>;
  /**
   * A bearer token of the account, valid at once, readable only now.
   * @throws FhirError 404 when there is no such account or it is shut off.
   */
  issueToken(login: string, lifetimeSeconds: number): Promise<string>;
  signIn(attempt: SignInAttempt): Promise<SignInResult>;
  /** Ends the session (or token) the request came with; a request without one changes nothing. */
  signOut(request: Parameters<FhirGuards['authenticate']>[0]): Promise<void>;
  /** Looks after the trail in the background, until `close`. */
  start(): void;
  /** Waits for the trail to be written. */
  close(): Promise<void>;
}

/** The access room; plugs the audit trail into the store. */
export async function createAccess(options: AccessOptions): Promise<Access> {
  const { database, store, clock, secure, log, baseUrl, securityClock = systemClock } = options;
  const machine = hostname();
  const site = () =>
    baseUrl ? { address: baseUrl(), networkType: '5' as const } : { address: machine, networkType: '1' as const };
  const hasher = createPasswordHasher();
  const throttle = createThrottle(database);
  const trail = createTrail({ store, clock, site, ...(log ? { log } : {}) });
  const { authenticate, forget, forgetAll } = createAuthenticator({ database, clock: securityClock, secure });

  return {
    secure,
    authenticate,
    isAllowed: (context, request) => isGranted(context.actor.roles, demandOf(context, request)),
    authorize(context, request) {
      const demand = demandOf(context, request);
      if (isGranted(context.actor.roles, demand)) return;
      trail.refused(context, demand);
      throw notGranted(context.actor.roles, demand);
    },
    auditRead: trail.auditRead,
    ensureAccount: async (request) => {
      await ensureAccount({ database, hasher, now: securityClock.now() }, request);
      forgetAll();
    },
    listAccounts: (tenant) => listAccounts(database, tenant),
    async setDisabled(login, disabled) {
      await setDisabled(database, login, disabled);
      forgetAll();
    },
    async issueToken(login, lifetimeSeconds) {
      const account = await findAccount(database, normaliseLogin(login));
      if (!account || account.disabled) throw new FhirError(404, 'not-found', `No usable account ${login}`);
      return issueCredential(database, {
        tenant: account.tenant,
        login: account.login,
        kind: 'token',
        now: securityClock.now(),
        lifetimeMs: lifetimeSeconds * 1000,
      });
    },
    signIn: (attempt) => signIn({ database, hasher, throttle, trail, securityClock, clock }, attempt),
    async signOut(request) {
      const identified = await authenticate(request);
      const presented = presentedSecret(request.headers, secure);
      if (!presented) return;
      await revokeCredential(database, presented.secret);
      forget(presented.secret);
      const context: Context = {
        ...identified,
        requestId: request.id,
        interaction: 'logout',
        network: request.ip,
        now: () => clock.now(),
      };
      await trail.authentication(context, { kind: 'logout', outcome: 'success' });
    },
    start: () => trail.start(() => database.tenants()),
    close: trail.close,
  };
}

/** DICOMweb asks in terms of ImagingStudy; to see pixels is another right than to see that a study exists. */
function demandOf(
  context: Context,
  request: Parameters<FhirGuards['authorize']>[1],
): Parameters<FhirGuards['authorize']>[1] {
  return context.interaction.startsWith('dicomweb:') ? { ...request, interaction: context.interaction } : request;
}
