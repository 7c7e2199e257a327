/** The audit trail: AuditEvents into the tenant's store, before the answer leaves (design §5 rules 2 and 9). */
import type { AuditEvent, ImagingStudy, Resource } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import {
  type Change,
  type CommitHook,
  type Context,
  FhirError,
  type FhirStore,
  type FhirTransaction,
  type ReadAccess,
  systemContext,
} from '../../fhir/index.ts';
import type { Demand } from '../policy.ts';
import { platformDevice, type Site } from './agents.ts';
import { platformOrigin } from './codes.ts';
import { authenticationEvent, readEvent, refusalEvent, writeEvent } from './event.ts';
import { patientOf, securityContextOf } from './patient.ts';

/** Looking at the images of one study is one event per actor in this time: a viewer sends hundreds of requests (rule 9). */
export const imageAccessWindowMs = 5 * 60_000;
const imageAccessesRemembered = 5_000;
/** Refusals on their way to the trail, by request, for who wants to wait for them. */
const refusalsRemembered = 1_000;
/** Events on their way; beyond, callers are refused rather than answered without a trail. */
const pendingAtMost = 20_000;

/** Interaction of the transactions in which the trail writes itself; they are not audited again. */
const auditInteraction = 'system:audit';

export interface AuditTrail {
  /** Resolves once the access is committed in the trail; rejects when it cannot be: then nothing may be answered. */
  auditRead(context: Context, access: ReadAccess): Promise<void>;
  /** A refusal by the policy; written in the background, awaited by `auditRead` of the same request and by `close`. */
  refused(context: Context, demand: Demand & { id?: string }): void;
  authentication(context: Context, event: Parameters<typeof authenticationEvent>[1]): Promise<void>;
  close(): Promise<void>;
}

export interface TrailOptions {
  store: FhirStore;
  clock: Clock;
  site: () => Site;
  log?: { error(object: object, message: string): void };
}

/** Plugs the trail into the store: every transaction that writes leaves its event in itself. */
export function createTrail({ store, clock, site, log }: TrailOptions): AuditTrail {
  const pending = new Set<Promise<void>>();

  /**
   * Commits one event. The store joins transactions that only create, of whatever callers of one tenant, into one multi-row
   * insert and one flush: under load dozens of reads share it (docs/decisions/0008-access-and-audit.md).
   */
  function append(tenant: string, event: AuditEvent): Promise<void> {
    if (pending.size >= pendingAtMost)
      return Promise.reject(new FhirError(503, 'throttled', 'The audit trail is full'));
    const written = store.transaction(systemContext(tenant, auditInteraction, clock), async (tx) => {
      await tx.create(event);
    });
    pending.add(written);
    const done = () => pending.delete(written);
    written.then(done, done);
    return written;
  }

  /** Transactions into which the trail is writing right now: its event is told from one that the caller posts. */
  const writing = new WeakSet<FhirTransaction>();
  const refusals = new Map<string, Promise<void>>();
  const imageAccesses = new Map<string, { at: number; written: Promise<void> }>();

  const onCommit: CommitHook = async (changes, tx) => {
    if (tx.context.interaction === auditInteraction) return;
    writing.add(tx);
    try {
      await tx.create(writeEvent(tx.context, changes, site()));
    } finally {
      writing.delete(tx);
    }
  };
  store.beforeCommit((change, tx) => guardTrail(change, tx, writing.has(tx)));
  store.onCommit(onCommit);

  function imageAccess(context: Context, access: ReadAccess, studies: readonly ImagingStudy[]): Promise<void> {
    const now = clock.now().getTime();
    const studyIds = studies.map((study) => study.id).join(' ');
    const key = `${context.tenant} ${context.actor.account} ${studyIds}`;
    const known = imageAccesses.get(key);
    if (known && now - known.at < imageAccessWindowMs) return known.written;
    if (imageAccesses.size >= imageAccessesRemembered) imageAccesses.clear();
    const written = append(context.tenant, readEvent(context, access, site()));
    imageAccesses.set(key, { at: now, written });
    written.catch(() => imageAccesses.delete(key));
    return written;
  }

  /** A file (the PDF of a report) names nobody itself: who looks for the readings of a patient must find its readings too. */
  async function patientsOfFiles({ tenant }: Context, { resources }: ReadAccess): Promise<string[]> {
    const contexts = resources.flatMap((resource) => securityContextOf(resource) ?? []);
    const patients = contexts.map(async ({ type, id }) => {
      if (type === 'Patient') return `Patient/${id}`;
      try {
        return patientOf(await store.read(tenant, type, id));
      } catch (error) {
        // What it points to may not be there, or not any more.
        if (error instanceof FhirError && error.status < 500) return undefined;
        throw error;
      }
    });
    return (await Promise.all(patients)).filter((patient) => patient !== undefined);
  }

  return {
    async auditRead(context, access) {
      if (access.outcome === 'refused') {
        const known = refusals.get(refusalKey(context));
        if (known) return known;
      }
      const studies = access.resources.filter(isImagingStudy);
      if (/^dicomweb:(?!qido|query|search|stow|store)/.test(context.interaction) && access.outcome === 'success') {
        if (studies.length > 0) return imageAccess(context, access, studies);
      }
      return append(context.tenant, readEvent(context, access, site(), await patientsOfFiles(context, access)));
    },
    refused(context, demand) {
      const written = append(context.tenant, refusalEvent(context, demand, site()));
      written.catch((error: unknown) => {
        log?.error(
          { requestId: context.requestId, error: (error as Error).name },
          'a refusal is missing in the audit trail',
        );
      });
      if (refusals.size >= refusalsRemembered) refusals.clear();
      const key = refusalKey(context);
      refusals.set(key, written);
      void written.finally(() => refusals.delete(key)).catch(() => undefined);
    },
    authentication: (context, event) => append(context.tenant, authenticationEvent(context, event, site())),
    async close() {
      while (pending.size > 0) await Promise.allSettled(pending);
    },
  };
}

/** A request id is the caller's own choice: another caller with the same one is told on its own. */
function refusalKey({ tenant, actor, requestId }: Context): string {
  return `${tenant} ${actor.account} ${requestId}`;
}

/** Append-only, whoever asks; and nobody but the trail itself writes in its name. */
function guardTrail(change: Change, tx: FhirTransaction, isTrail: boolean): void {
  if (change.type !== 'AuditEvent') return;
  if (change.interaction !== 'create') {
    throw new FhirError(405, 'not-supported', 'AuditEvents are never changed nor deleted');
  }
  if (isTrail || tx.context.interaction === auditInteraction) return;
  const event = change.after as AuditEvent;
  if (event.meta?.tag?.some((tag) => tag.system === platformOrigin.system)) {
    throw new FhirError(422, 'business-rule', 'This tag is reserved to the platform', 'AuditEvent.meta.tag');
  }
  if (event.source?.observer?.reference === platformDevice) {
    throw new FhirError(422, 'business-rule', 'The platform did not observe this', 'AuditEvent.source.observer');
  }
}

function isImagingStudy(resource: Resource): resource is ImagingStudy {
  return resource.resourceType === 'ImagingStudy';
}
