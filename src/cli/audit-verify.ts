import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { auditAnchorsFolder, readAnchors, readPublicKeys, type Verification, verifyChain } from '../access/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { faultText } from './fault-text.ts';

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
  if (since && Number.isNaN(since.getTime()))
    throw new CommandError(`--since : « ${values.since} » n’est pas une date, comme 2026-11-01.`);
  return inAuditRoom(env, async ({ config, database, keys, tenants, tell }) => {
    const trusted = values.keys === undefined ? await keys.trusted() : await readPublicKeys(resolve(values.keys));
    if (trusted.size === 0)
      throw new CommandError(
        `Aucune clé publique dans ${values.keys ?? 'le dossier des clés de la trace (keys/audit-public)'}.`,
      );
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
  const extent = `${seals} sceaux, ${rows} lignes, ${events} événements${purged > 0 ? `, ${purged} lignes détruites avec certificat` : ''}`;
  if (!fault) return `${tenant} : entière. ${extent} ; tête ${head.number} ${head.digest}`;
  const places = [
    fault.seal === undefined ? [] : `sceau ${fault.seal}`,
    fault.row === undefined ? [] : `ligne ${fault.row}`,
    fault.event === undefined ? [] : `événement ${fault.event}`,
  ].flat();
  const detail = fault.detail ? ` (${fault.detail})` : '';
  return `${tenant} : ROMPUE. ${faultText(fault.kind)} : ${places.join(', ')}${detail}. Prouvé avant : ${extent}`;
}
