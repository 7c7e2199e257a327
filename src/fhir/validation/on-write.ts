/**
 * Validation of writes against what a tenant has stored, beside the synchronous one every write goes through: profiles the resource
 * declares, and extensions, whose StructureDefinitions the tenant keeps. Runs before commit, inside the transaction.
 */
import type { StructureDefinition } from '@medplum/fhirtypes';
import { type Change, type ChangeHook, FhirError, type FhirTransaction } from '../contract.ts';
import type { Terminology } from '../terminology/contract.ts';
import { isBuiltIn, type Profiles } from './index.ts';
import { definitionsUsedBy, inspectWith, profilesOf, storedDefinitions } from './tenant.ts';

/** How long a node goes by what it read: a definition changed through another node holds after that. */
const freshMs = 10_000;
const maxTenants = 200;
const maxUrls = 1_000;

interface Known {
  readAtMs: number;
  /** Whether the tenant keeps any StructureDefinition at all. */
  hasAny: boolean;
  /** Addresses looked up, found or not. */
  asked: Set<string>;
  definitions: Map<string, StructureDefinition>;
  profiles?: Profiles;
}

export interface OnWriteOptions {
  /** Of the transaction, for required bindings to value sets that are not at hand. */
  terminologyOf?(tx: FhirTransaction): Terminology | undefined;
}

/** A hook for `FhirStore.beforeCommit`; it keeps what it compiled per tenant. */
export function validateAgainstStored({ terminologyOf }: OnWriteOptions = {}): ChangeHook {
  const tenants = new Map<string, Known>();
  async function check(change: Change, used: readonly string[], tx: FhirTransaction): Promise<void> {
    const known = used.length > 0 ? await knownOf(tenants, tx) : undefined;
    if (known?.hasAny) await lookUp(known, used, tx);
    const isStored = known?.hasAny && used.some((url) => known.definitions.has(url));
    if (!isStored && !declaresProfiles(change)) return;
    await refuseInvalid(change, isStored ? profilesKnown(known) : undefined, tx, terminologyOf?.(tx));
  }

  return (change, tx) => {
    if (change.type === 'StructureDefinition') {
      // Its own transaction goes on with what was there; the next one sees it.
      tx.afterCommit(() => void tenants.delete(tx.context.tenant));
      return undefined;
    }
    // The trail is the platform's own, and written too often to look twice.
    if (!change.after || change.type === 'AuditEvent') return undefined;
    const used = definitionsUsedBy(change.after)
      .map((url) => url.split('|')[0]!)
      .filter((url) => !isBuiltIn(url));
    // What is built in was checked already, but for codes of value sets that only a terminology knows.
    return used.length > 0 || declaresProfiles(change) ? check(change, used, tx) : undefined;
  };
}

function declaresProfiles({ after }: Change): boolean {
  return (after?.meta?.profile?.length ?? 0) > 0;
}

async function knownOf(tenants: Map<string, Known>, tx: FhirTransaction): Promise<Known> {
  const { tenant } = tx.context;
  const nowMs = tx.context.now().getTime();
  const known = tenants.get(tenant);
  if (known && Math.abs(nowMs - known.readAtMs) < freshMs) return known;
  const hasAny = (await tx.search('StructureDefinition', '_count=1')).length > 0;
  const fresh: Known = { readAtMs: nowMs, hasAny, asked: new Set(), definitions: new Map() };
  tenants.delete(tenant);
  tenants.set(tenant, fresh);
  for (const oldest of tenants.keys()) {
    if (tenants.size <= maxTenants) break;
    tenants.delete(oldest);
  }
  return fresh;
}

async function lookUp(known: Known, urls: readonly string[], tx: FhirTransaction): Promise<void> {
  const unknown = urls.filter((url) => !known.asked.has(url));
  if (unknown.length === 0) return;
  const found = await storedDefinitions(tx, unknown);
  // Senders make up addresses.
  if (known.asked.size > maxUrls) known.asked.clear();
  for (const url of unknown) known.asked.add(url);
  if (!found) return;
  for (const [url, definition] of found) known.definitions.set(url, definition);
  delete known.profiles;
}

function profilesKnown(known: Known): Profiles {
  known.profiles ??= profilesOf(known.definitions);
  return known.profiles;
}

async function refuseInvalid(
  { after }: Change,
  profiles: Profiles | undefined,
  tx: FhirTransaction,
  terminology: Terminology | undefined,
): Promise<void> {
  const issues = await inspectWith(profiles, tx.context, after, [], terminology);
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw FhirError.of(errors.some(({ code }) => code === 'throttled') ? 429 : 400, errors);
}
