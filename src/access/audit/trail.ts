/** The audit trail: AuditEvents into the tenant's store, before the answer leaves (design §5 rules 2 and 9). */
import { randomUUID } from 'node:crypto';
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
import { createGroupCommit } from './group-commit.ts';

/** Looking at the images of one study is one event per actor in this time: a viewer sends hundreds of requests (rule 9). */
export const imageAccessWindowMs = 5 * 60_000;
const imageAccessesRemembered = 5_000;
/** Refusals on their way to the trail, by request, for who wants to wait for them. */
const refusalsRemembered = 1_000;

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
  const group = createGroupCommit<AuditEvent>((tenant, events) =>
    store.transaction(systemContext(tenant, auditInteraction, clock), async (tx) => {
      for (const event of events) await tx.create(event);
    }),
  );
  /** Events the trail is writing inside somebody's transaction, told from those the somebody posts. */
  const own = new Set<string>();
  const refusals = new Map<string, Promise<void>>();
  const imageAccesses = new Map<string, { at: number; written: Promise<void> }>();

  const onCommit: CommitHook = async (changes, tx) => {
    if (tx.context.interaction === auditInteraction) return;
    const id = randomUUID();
    own.add(id);
    try {
      await tx.create({ ...writeEvent(tx.context, changes, site()), id });
    } finally {
      own.delete(id);
    }
  };
  store.beforeCommit((change, tx) => guardTrail(change, tx, own));
  store.onCommit(onCommit);

  function imageAccess(context: Context, access: ReadAccess, studies: readonly ImagingStudy[]): Promise<void> {
    const now = clock.now().getTime();
    const studyIds = studies.map((study) => study.id).join(' ');
    const key = `${context.tenant} ${context.actor.account} ${studyIds}`;
    const known = imageAccesses.get(key);
    if (known && now - known.at < imageAccessWindowMs) return known.written;
    if (imageAccesses.size >= imageAccessesRemembered) imageAccesses.clear();
    const written = group.add(context.tenant, readEvent(context, access, site()));
    imageAccesses.set(key, { at: now, written });
    written.catch(() => imageAccesses.delete(key));
    return written;
  }

  return {
    auditRead(context, access) {
      if (access.outcome === 'refused') {
        const known = refusals.get(context.requestId);
        if (known) return known;
      }
      const studies = access.resources.filter(isImagingStudy);
      if (/^dicomweb:(?!qido|query|search|stow|store)/.test(context.interaction) && access.outcome === 'success') {
        if (studies.length > 0) return imageAccess(context, access, studies);
      }
      return group.add(context.tenant, readEvent(context, access, site()));
    },
    refused(context, demand) {
      const written = group.add(context.tenant, refusalEvent(context, demand, site()));
      written.catch((error: unknown) => {
        log?.error(
          { requestId: context.requestId, error: (error as Error).name },
          'a refusal is missing in the audit trail',
        );
      });
      if (refusals.size >= refusalsRemembered) refusals.clear();
      refusals.set(context.requestId, written);
      void written.finally(() => refusals.delete(context.requestId)).catch(() => undefined);
    },
    authentication: (context, event) => group.add(context.tenant, authenticationEvent(context, event, site())),
    close: () => group.drain(),
  };
}

/** Append-only, whoever asks; and nobody but the trail itself writes in its name. */
function guardTrail(change: Change, tx: FhirTransaction, own: ReadonlySet<string>): void {
  if (change.type !== 'AuditEvent') return;
  if (change.interaction !== 'create') {
    throw new FhirError(405, 'not-supported', 'AuditEvents are never changed nor deleted');
  }
  if (tx.context.interaction === auditInteraction || own.has(change.id)) return;
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
