/** The audit trail: AuditEvents into the tenant's store, before the answer leaves (design §5 rules 2 and 9). */
import type { AuditEvent, ImagingStudy, Resource } from '@medplum/fhirtypes';
import type { AuditSyslog, Clock } from '../../config/index.ts';
import {
  type Change,
  type CommitHook,
  type Context,
  FhirError,
  type FhirStore,
  type ReadAccess,
} from '../../fhir/index.ts';
import type { Demand } from '../policy.ts';
import type { AccountSecurityEvent } from './account-security.ts';
import type { Activity } from './activity.ts';
import { platformDevice, type Site } from './agents.ts';
import { type BackgroundProjection, projectInBackground } from './background.ts';
import type { AuditKeys } from './chain/keys.ts';
import { type ChainBroken, type ChainWatch, type ChainWatchOptions, createChainWatch } from './chain/watch.ts';
import { writeSeal } from './chain/write.ts';
import { platformOrigin } from './codes.ts';
import { auditEvent } from './event.ts';
import {
  type AuditRecord,
  type AuthenticationRecord,
  accountSecurityRecord,
  activityRecord,
  authenticationRecord,
  readRecord,
  refusalRecord,
  writeRecord,
} from './record.ts';
import { type Forwarding, forwardInBackground } from './syslog/forward.ts';
import { createWhom, type Patients } from './whom.ts';

/** Looking at the images of one study is one event per actor in this time: a viewer sends hundreds of requests (rule 9). */
const imageAccessWindowMs = 5 * 60_000;
const imageAccessesRemembered = 5_000;
/** Events on their way; beyond, callers are refused rather than answered without a trail. */
const pendingAtMost = 20_000;

export interface AuditTrail {
  /** Resolves once the access is committed in the trail; rejects when it cannot be: then nothing may be answered. */
  auditRead(context: Context, access: ReadAccess): Promise<void>;
  /**
   * A refusal by the policy; written in the background, awaited by `auditRead` of the same circumstances and by `close`. Resolves once it is
   * written or cannot be: then it stays a refusal.
   */
  refused(context: Context, demand: Demand & { id?: string }): Promise<void>;
  /** Those of requests under this id; undefined when there are none. Never rejects. Ids are callers' own choice: it may be somebody else's, too. */
  refusalsTold(requestId: string): Promise<unknown> | undefined;
  authentication(context: Context, event: AuthenticationRecord['event']): Promise<void>;
  /** Passwords, factors and sessions that changed, accounts that were locked out; about the account of the context's tenant. */
  accountSecurity(context: Context, event: AccountSecurityEvent): Promise<void>;
  /** Resolves once the act is in the trail; what cannot be told must not be done. */
  activity(context: Context, activity: Activity): Promise<void>;
  /** Told when the chain of a tenant turns out to be broken. */
  onChainBroken(listener: ChainBroken): void;
  /** Makes AuditEvents, seals and proves them in the background until `close`. @param tenants whose trail to look after. */
  start(tenants: () => Promise<readonly string[]>): void;
  close(): Promise<void>;
}

export interface TrailOptions {
  store: FhirStore;
  clock: Clock;
  site: () => Site;
  /** Keys that seal the trail; undefined: it is not sealed. */
  keys: AuditKeys | undefined;
  /** What the chain is proven against while the server runs; undefined: it is not. */
  watched?: Pick<ChainWatchOptions, 'database' | 'keys' | 'anchors'> & { syslog?: AuditSyslog };
  /** Looks at every entry but those of writes, as it is made; quick, and never throws. */
  observe?: (tenant: string, record: AuditRecord, at: Date) => void;
  log?: ChainWatchOptions['log'];
}

/** Plugs the trail into the store: every transaction that writes leaves its event in itself. */
export function createTrail({ store, clock, site, keys, watched, observe, log }: TrailOptions): AuditTrail {
  const pending = new Set<Promise<void>>();
  const brokenListeners: ChainBroken[] = [];
  let background: BackgroundProjection | undefined;
  let watch: ChainWatch | undefined;
  let forwarding: Forwarding | undefined;
  let entries = 0;

  /**
   * Commits one record. The store joins transactions that only append, of whatever callers of one tenant, into one row and one
   * flush: under load dozens of reads share it (docs/decisions/0011-journal.md).
   */
  function append(tenant: string, record: AuditRecord): Promise<void> {
    if (pending.size >= pendingAtMost)
      return Promise.reject(new FhirError(503, 'throttled', 'The audit trail is full'));
    entries++;
    const now = clock.now();
    observe?.(tenant, record, now);
    const written = store.journal(tenant, record, now);
    pending.add(written);
    const done = () => pending.delete(written);
    written.then(done, done);
    return written;
  }

  const whom = createWhom({ store, base: () => `${site().address}/fhir` });
  /** On their way to the trail, for who wants to wait for them. Ids of requests are the callers' own choice: circumstances are not. */
  const refusals = new WeakMap<Context, Promise<void>>();
  const untold = new Map<string, Set<Promise<void>>>();
  const imageAccesses = new Map<string, { at: number; written: Promise<void> }>();

  const onCommit: CommitHook = (changes, tx) => {
    entries++;
    const note = (patients: Patients) =>
      tx.journal(writeRecord(tx.context, changes, site(), patients, (id) => tx.writtenText('AuditEvent', id)));
    const patients = whom.ofChanges(changes, tx);
    return patients instanceof Promise ? patients.then(note) : note(patients);
  };
  store.beforeCommit(guardTrail, 'AuditEvent');
  store.onCommit(onCommit);
  store.projectJournal({
    type: 'AuditEvent',
    render: (record, at) => auditEvent(record as AuditRecord, at),
    ...(keys ? { made: (sql, tenant, rows) => writeSeal(sql, tenant, rows, { keys, now: () => clock.now() }) } : {}),
  });

  function imageAccess(context: Context, access: ReadAccess, studies: readonly ImagingStudy[]): Promise<void> {
    const now = clock.now().getTime();
    const studyIds = studies.map((study) => study.id).join(' ');
    const { tenant, actor } = context;
    // What an app does in a person's name is told with the app's.
    const key = `${tenant} ${actor.account} ${actor.client ?? ''} ${studyIds}`;
    const known = imageAccesses.get(key);
    // Also told anew by a clock that was put back.
    if (known && now >= known.at && now - known.at < imageAccessWindowMs) return known.written;
    if (imageAccesses.size >= imageAccessesRemembered) imageAccesses.clear();
    const written = append(tenant, readRecord(context, access, site(), access.resources.flatMap(whom.of)));
    imageAccesses.set(key, { at: now, written });
    written.catch(() => imageAccesses.delete(key));
    return written;
  }

  return {
    async auditRead(context, access) {
      if (access.outcome === 'refused') {
        const known = refusals.get(context);
        if (known) return known;
      }
      const studies = access.resources.filter(isImagingStudy);
      if (/^dicomweb:(?!qido|query|search|stow|store)/.test(context.interaction) && access.outcome === 'success') {
        if (studies.length > 0) return imageAccess(context, access, studies);
      }
      const patients = whom.ofAccess(context, access);
      const known = patients instanceof Promise ? await patients : patients;
      return append(context.tenant, readRecord(context, access, site(), known));
    },
    refused(context, demand) {
      const written = append(context.tenant, refusalRecord(context, demand, site()));
      const told = written.catch((error: unknown) => {
        log?.error(
          { requestId: context.requestId, error: (error as Error).name },
          'a refusal is missing in the audit trail',
        );
      });
      refusals.set(context, written);
      const { requestId } = context;
      const ofRequest = untold.get(requestId) ?? new Set();
      untold.set(requestId, ofRequest.add(told));
      return told.finally(() => {
        refusals.delete(context);
        ofRequest.delete(told);
        if (ofRequest.size === 0) untold.delete(requestId);
      });
    },
    refusalsTold(requestId) {
      const ofRequest = untold.get(requestId);
      return ofRequest && Promise.all(ofRequest);
    },
    authentication: (context, event) => append(context.tenant, authenticationRecord(context, event, site())),
    accountSecurity: (context, event) => append(context.tenant, accountSecurityRecord(context, event, site())),
    onChainBroken: (listener) => void brokenListeners.push(listener),
    activity: (context, activity) => append(context.tenant, activityRecord(context, activity, site())),
    start(tenants) {
      background ??= projectInBackground({ store, tenants, written: () => entries, ...(log ? { log } : {}) });
      if (!watched || watch) return;
      watch = createChainWatch({
        ...watched,
        tenants,
        now: () => clock.now(),
        onBroken: (tenant, fault) => {
          for (const listener of brokenListeners) listener(tenant, fault);
        },
        ...(log ? { log } : {}),
      });
      watch.start();
      const { database, syslog: receiver } = watched;
      if (receiver)
        forwarding = forwardInBackground({
          database,
          receiver,
          tenants,
          now: () => clock.now(),
          ...(log ? { log } : {}),
        });
    },
    async close() {
      await background?.stop();
      await watch?.stop();
      await forwarding?.stop();
      while (pending.size > 0) await Promise.allSettled(pending);
    },
  };
}

/** Append-only, whoever asks; and nobody writes in the name of the trail, which does not come this way. */
function guardTrail(change: Change): void {
  if (change.type !== 'AuditEvent') return;
  if (change.interaction !== 'create') {
    throw new FhirError(405, 'not-supported', 'AuditEvents are never changed nor deleted');
  }
  const event = change.after as AuditEvent;
  if (event.meta?.tag?.some((tag) => tag.system === platformOrigin.system)) {
    throw new FhirError(422, 'business-rule', 'This tag is reserved to the platform', 'AuditEvent.meta.tag');
  }
  // Whichever way it is written: by its address, or by one of its versions.
  if (`/${event.source?.observer?.reference ?? ''}/`.includes(`/${platformDevice}/`)) {
    throw new FhirError(422, 'business-rule', 'The platform did not observe this', 'AuditEvent.source.observer');
  }
}

function isImagingStudy(resource: Resource): resource is ImagingStudy {
  return resource.resourceType === 'ImagingStudy';
}
