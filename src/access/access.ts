import { hostname } from 'node:os';
import { type AuditSyslog, type Clock, type IdentitySources, systemClock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import type { Context, FhirGuards, FhirStore, Sight } from '../fhir/index.ts';
import {
  type Account,
  type AccountRequest,
  ensureAccount,
  findAccount,
  listAccounts,
  normaliseLogin,
  setDisabled,
} from './accounts.ts';
import type { Activity } from './audit/activity.ts';
import type { AuditKeys } from './audit/chain/keys.ts';
import type { Fault } from './audit/chain/prove.ts';
import { createTrail } from './audit/trail.ts';
import { createAuthenticator } from './authenticate.ts';
import { createBreakGlass } from './break-glass/index.ts';
import { issueCredential, revokeCredential } from './credentials.ts';
import { createFederation, type Federation } from './federation/index.ts';
import { type AlertRoute, createIncidents, type Incidents, watchRecord } from './incidents/index.ts';
import { boundToMaintenance } from './maintenance/index.ts';
import type { SecretSealer } from './own-account/password-history.ts';
import type { AccountRooms } from './own-account/rooms.ts';
import { createPasswordHasher } from './passwords.ts';
import { guardDirectory, markKeeper } from './policies/directory.ts';
import { changesExclusion } from './policies/exclusions.ts';
import { guardPolicies } from './policies/guard.ts';
import { createSights } from './policies/sight.ts';
import { isDicom, isGranted } from './policy.ts';
import { opaqueTokens, sessionCookies } from './recognise.ts';
import { notGranted, refusal } from './refusals.ts';
import { createUseNotes, notingUse, overdueReviewsOfAll } from './reviews/index.ts';
import { relyingPartyOf } from './second-factor/relying-party.ts';
import { completeSignIn, type Proven, type SignInResult } from './sign-in/complete.ts';
import type { SecondFactorRoles } from './sign-in/next-step.ts';
import { type SignInAttempt, signInByPassword } from './sign-in/password.ts';
import { beyondReach, createNarrowing, isWithinScopes, oauthTokens, refuseBeyondReach } from './smart/index.ts';
import { standing } from './standing.ts';
import {
  addressedTenant,
  createTenantDoor,
  crossTenant,
  type Identity,
  refuseForeignAddresses,
  type TenantDoor,
} from './tenants/index.ts';
import { createThrottle } from './throttle.ts';

export interface AccessOptions {
  database: Database;
  store: FhirStore;
  /** Clock of the platform: what the trail records. */
  clock: Clock;
  /** Served over TLS: Secure cookies. */
  secure: boolean;
  log?: {
    info?(object: object, message: string): void;
    warn(object: object, message: string): void;
    error(object: object, message: string): void;
  };
  /** Public address, for the trail; the machine's name when absent. */
  baseUrl?: () => string;
  /** Keys that seal the audit trail; undefined only where no trail is kept (tests). */
  auditKeys: AuditKeys | undefined;
  /** Where alerts of security incidents go; undefined: they are recorded and logged only. */
  alerts?: AlertRoute;
  /** Folder of the heads of the chain; undefined: they go to the log only. */
  auditAnchors?: string;
  /** Where every event is sent once it is sealed; undefined: nowhere. */
  auditSyslog?: AuditSyslog;
  /** Clock of sessions, tokens and delays: the machine's, even when a demonstration runs on a faster one. */
  securityClock?: Clock;
  /** Seals second factors; without it none can be set up. */
  sealer?: SecretSealer;
  /** Roles whose people need a second factor, beside administrators and support. */
  secondFactorRoles?: SecondFactorRoles;
  /** Directories and identity providers; none when absent. */
  identitySources?: IdentitySources;
}

/** Who you are, what you may, and the trail of it. */
export interface Access extends FhirGuards, Pick<TenantDoor, 'elsewhere' | 'identityIn'> {
  readonly secure: boolean;
  /** Origin of our public address; undefined where none is known. */
  origin(): string | undefined;
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
  /** With a local password. */
  signIn(attempt: SignInAttempt): Promise<SignInResult>;
  /** People known elsewhere. */
  readonly federation: Federation;
  /** Ends every other way of signing in: the caller vouches that this person proved to be this account. */
  completeSignIn(proven: Proven): Promise<SignInResult>;
  /** What the routes of signing in and of one's own account work with. */
  readonly accountRooms: AccountRooms;
  /** The secret of the session a request came with, unverified; undefined when it came with something else. */
  sessionSecret(request: Parameters<FhirGuards['authenticate']>[0]): string | undefined;
  /** Forgets who was recognised lately: credentials ended. Other servers do within five seconds. */
  forgetCredentials(): void;
  /** Ends the session (or token) the request came with; a request without one changes nothing. */
  signOut(request: Parameters<FhirGuards['authenticate']>[0]): Promise<void>;
  /** Refusals of requests under this id on their way to the trail; undefined when there are none. Never rejects. */
  refusalsTold(requestId: string): Promise<unknown> | undefined;
  /** Tells the trail of an act that is no FHIR interaction (export, purge, break-glass, an operator's command); resolves once it is kept. */
  recordActivity(context: Context, activity: Activity): Promise<void>;
  /** Told, once a fault, when the chain of a tenant's trail turns out to be broken. */
  onChainBroken(listener: (tenant: string, fault: Fault) => void): void;
  /** Security incidents: other rooms report what they find. */
  readonly incidents: Pick<Incidents, 'report'>;
  /** Looks after the trail and the incidents in the background, until `close`. */
  start(): void;
  /** A caller that another room recognised (a machine by its connection), with what its roles let it see. */
  sightOf<Caller extends Identity>(identity: Caller): Promise<Caller & Sight>;
  /** Which of these names of sessions and tokens (`Context.credential`) still stand. */
  standing(credentials: readonly string[]): Promise<ReadonlySet<string>>;
  /** Waits for the trail to be written. */
  close(): Promise<void>;
}

/** What the trail calls a request that a page of another site made the browser send. */
const foreignPage = 'foreign-page';

/** The access room; plugs the audit trail into the store. */
export async function createAccess(options: AccessOptions): Promise<Access> {
  const { database, store, clock, secure, log, baseUrl, securityClock = systemClock, sealer } = options;
  const machine = hostname();
  const site = () =>
    baseUrl ? { address: baseUrl(), networkType: '5' as const } : { address: machine, networkType: '1' as const };
  const origin = () => baseUrl && new URL(baseUrl()).origin;
  const hasher = createPasswordHasher();
  const throttle = createThrottle(database);
  const incidents = createIncidents({ database, store, clock, securityClock, ...(log ? { log } : {}) });
  const trail = createTrail({
    store,
    clock,
    site,
    keys: options.auditKeys,
    ...(options.auditKeys
      ? {
          watched: {
            database,
            keys: options.auditKeys,
            anchors: options.auditAnchors,
            ...(options.auditSyslog ? { syslog: options.auditSyslog } : {}),
          },
        }
      : {}),
    observe: (tenant, record, at) => watchRecord(incidents, tenant, record, at),
    ...(log ? { log } : {}),
  });
  trail.onChainBroken((tenant, { kind, seal }) => {
    const place = seal === undefined ? kind : `${kind}, sceau ${seal}`;
    incidents.report(tenant, { kind: 'chain-break', subject: place, detail: `Premier maillon rompu : ${place}` });
  });
  const noteUse = createUseNotes(database);
  store.beforeCommit(guardPolicies, 'Basic');
  store.beforeWrite(markKeeper, 'Practitioner');
  store.beforeCommit(guardDirectory, 'Practitioner');
  if (baseUrl) store.beforeCommit(refuseForeignAddresses(baseUrl));
  const door = createTenantDoor({ database, now: () => securityClock.now(), baseUrl: () => baseUrl?.() ?? '' });
  const { recognise, refuseForeign, presented, forgetAll } = createAuthenticator({
    // In order: the first that finds its kind of credential in a request decides.
    recognisers: [oauthTokens(database), opaqueTokens(database), sessionCookies(database, secure)].map((recogniser) =>
      notingUse(boundToMaintenance(recogniser, database), noteUse),
    ),
    clock: securityClock,
    origin,
  });
  const ensure: Federation['rooms']['ensureAccount'] = async (request, also) => {
    await ensureAccount({ database, hasher, sealer, now: securityClock.now() }, request, also);
    forgetAll();
  };
  const disable = async (login: string, disabled: boolean) => {
    await setDisabled(database, login, disabled);
    forgetAll();
  };
  const federation = createFederation(
    options.identitySources ?? { ldap: [], openid: [] },
    {
      ...{ database, store, clock, securityClock },
      ...{ ensureAccount: ensure, setDisabled: disable, recordActivity: trail.activity },
    },
    log,
  );
  const signInRooms = {
    directories: federation.directories,
    database,
    hasher,
    throttle,
    trail,
    securityClock,
    clock,
    secondFactorRoles: options.secondFactorRoles ?? [],
    forgetCredentials: forgetAll,
  };
  const accountRooms: AccountRooms = {
    ...signInRooms,
    sealer,
    party: () => baseUrl && relyingPartyOf(baseUrl()),
  };

  const contextOf = (
    request: Parameters<FhirGuards['authenticate']>[0],
    identified: Identity,
  ): Omit<Context, 'interaction'> => ({
    ...identified,
    requestId: request.id,
    network: request.ip,
    now: () => clock.now(),
  });

  const sights = createSights({ database, store, now: () => securityClock.now() });
  // An establishment that excludes a reader does so at once (CM-5).
  store.beforeCommit((change, tx) => {
    if (changesExclusion(change)) tx.afterCommit(sights.forgetAll);
  }, 'PractitionerRole');
  const narrow = createNarrowing();
  const withSight = async <Caller extends Identity>(identity: Caller) => ({
    ...identity,
    ...narrow(identity.actor, await sights.of(identity)),
  });
  const glass = createBreakGlass({
    ...{
      database,
      store,
      clock,
      now: () => securityClock.now(),
      recordActivity: trail.activity,
      changed: sights.forget,
    },
    ...(log ? { log } : {}),
  });

  /** What the roles grant and the token, where there is one, allows. */
  const isPermitted = ({ actor }: Context, demand: ReturnType<typeof demandOf>) =>
    isGranted(actor.roles, demand) && isWithinScopes(actor, demand, store.operations);

  return {
    secure,
    origin,
    accountRooms,
    sessionSecret(request) {
      const credential = presented(request);
      return credential?.recogniser.name === 'session' ? credential.secret : undefined;
    },
    forgetCredentials: forgetAll,
    elsewhere: async (identified) => Promise.all((await door.elsewhere(identified)).map(withSight)),
    async identityIn(tenant, login) {
      const identity = await door.identityIn(tenant, login);
      return identity && withSight(identity);
    },
    async authenticate(request) {
      const identified = await recognise(request);
      const refused = async (interaction: string, type: string | undefined, error: unknown): Promise<never> => {
        const context = { ...contextOf(request, identified), interaction };
        await trail.refused(context, { interaction, ...(type === undefined ? {} : { type }) });
        throw error;
      };
      const tenant = addressedTenant(request);
      try {
        refuseForeign(request);
      } catch (error) {
        return refused(foreignPage, undefined, error);
      }
      try {
        refuseBeyondReach(request, identified.actor);
      } catch (error) {
        return refused(beyondReach, undefined, error);
      }
      if (tenant === undefined) return withSight(identified);
      const there = await door.stepInto(identified, tenant).catch((error) => refused(crossTenant, tenant, error));
      return withSight({ ...there, credential: identified.credential });
    },
    isAllowed: (context, request) => isPermitted(context, demandOf(context, request)),
    authorize(context, request) {
      const demand = demandOf(context, request);
      if (isPermitted(context, demand)) return;
      void trail.refused(context, demand);
      throw notGranted(context.actor.roles, demand);
    },
    refusalsTold: trail.refusalsTold,
    auditRead: trail.auditRead,
    recordActivity: trail.activity,
    onChainBroken: trail.onChainBroken,
    ensureAccount: (request) => ensure(request),
    listAccounts: (tenant) => listAccounts(database, tenant),
    setDisabled: disable,
    federation,
    async issueToken(login, lifetimeSeconds) {
      const account = await findAccount(database, normaliseLogin(login));
      if (!account || account.disabled)
        throw refusal(404, 'not-found', {
          diagnostics: `No usable account ${login}`,
          text: `Aucun compte utilisable « ${login} ».`,
        });
      return issueCredential(database, {
        tenant: account.tenant,
        login: account.login,
        kind: 'token',
        now: securityClock.now(),
        lifetimeMs: lifetimeSeconds * 1000,
      });
    },
    signIn: (attempt) => signInByPassword(signInRooms, attempt),
    completeSignIn: (proven) => completeSignIn(signInRooms, proven),
    async signOut(request) {
      const identified = await recognise(request);
      refuseForeign(request);
      const credential = presented(request);
      if (!credential) return;
      await revokeCredential(database, credential.secret);
      forgetAll();
      const context = { ...contextOf(request, identified), interaction: 'logout' };
      await trail.authentication(context, { kind: 'logout', outcome: 'success' });
    },
    incidents,
    sightOf: withSight,
    standing: (credentials) => standing(database, credentials, securityClock.now()),
    start() {
      trail.start(() => database.tenants());
      glass.start();
      federation.directories.start();
      incidents.start(options.alerts, [(now) => overdueReviewsOfAll(database, now)]);
    },
    async close() {
      await federation.directories.stop();
      await incidents.close();
      await glass.close();
      await trail.close();
    },
  };
}

/** DICOM asks in terms of ImagingStudy; to see pixels is another right than to see that a study exists. */
function demandOf(
  context: Context,
  request: Parameters<FhirGuards['authorize']>[1],
): Parameters<FhirGuards['authorize']>[1] {
  return isDicom(context.interaction) ? { ...request, interaction: context.interaction } : request;
}
