import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { auditAnchorsFolder, readAnchors, readPublicKeys, type Verification, verifyChain } from '../access/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/**
 * Proves the chain of the audit trail, one tenant after the other (docs/access/audit.md). Keys and anchors are those of the data folder unless
 * others are named: an auditor brings their own copies. Exit code 1 when a link does not hold.
 */
export async function auditVerify(args: string[], env: Environment): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      tenant: { type: 'string' },
      since: { type: 'string' },
      keys: { type: 'string' },
      anchors: { type: 'string' },
    },
  });
  const since = values.since === undefined ? undefined : new Date(values.since);
  if (since && Number.isNaN(since.getTime())) throw new CommandError(`"${values.since}" is no date: give 2026-11-01.`);
  return inAuditRoom(env, async ({ config, database, keys, tenants, tell }) => {
    const trusted = values.keys === undefined ? await keys.trusted() : await readPublicKeys(resolve(values.keys));
    if (trusted.size === 0) throw new CommandError('There is no public key in that folder.');
    const folder = values.anchors === undefined ? auditAnchorsFolder(config) : resolve(values.anchors);
    let isWhole = true;
    for (const tenant of await tenants(values.tenant)) {
      const anchors = await readAnchors(folder, tenant);
      const proof = await verifyChain({ database, tenant, trusted, anchors, ...(since ? { since } : {}) });
      process.stdout.write(`${sentence(proof)}\n`);
      isWhole &&= proof.fault === undefined;
      await tell(tenant, 'operator:audit-verify', {
        kind: 'audit-use',
        outcome: proof.fault ? 'failed' : 'success',
        details: { seals: String(proof.seals), ...(proof.fault ? { fault: proof.fault.kind } : {}) },
      });
    }
    return isWhole ? 0 : 1;
  });
}

function sentence({ tenant, seals, rows, events, purged, head, fault }: Verification): string {
  const extent = `${seals} seals, ${rows} rows, ${events} events${purged > 0 ? `, ${purged} rows destroyed with a certificate` : ''}`;
  if (!fault) return `${tenant}: whole. ${extent}; head ${head.number} ${head.digest}`;
  const places = [
    fault.seal === undefined ? [] : `seal ${fault.seal}`,
    fault.row === undefined ? [] : `row ${fault.row}`,
    fault.event === undefined ? [] : `event ${fault.event}`,
  ].flat();
  const detail = fault.detail ? ` (${fault.detail})` : '';
  return `${tenant}: BROKEN. ${fault.kind}: ${places.join(', ')}${detail}. Proven before it: ${extent}`;
}
