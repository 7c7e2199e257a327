import { parseArgs } from 'node:util';
import { destroyPart, inspectParts, partLabel, saveRetention } from '../access/index.ts';
import { platformTenant } from '../db/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { operatorName } from './operator.ts';

const usage = `audit-retention list
audit-retention set <groupe> --contract-end <jour, AAAA-MM-JJ> [--keep-days <jours, 365 au moins>]
audit-retention destroy <mois tel que listé>`;
const leastDays = 365;

/** How long the audit trail is kept, and its destruction by whole months with a certificate (docs/access/audit.md). */
export function auditRetention(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'contract-end': { type: 'string' }, 'keep-days': { type: 'string' } },
  });
  const [action = 'list', subject] = positionals;
  const print = (line: string) => process.stdout.write(`${line}\n`);
  return inAuditRoom(env, async ({ database, config, keys, tenants, tell }) => {
    const now = config.clock.now();
    if (action === 'set') {
      const [tenant] = await tenants(subject ?? '');
      const contractEnd = new Date(`${values['contract-end']}T00:00:00Z`);
      const keepDays = Number(values['keep-days'] ?? leastDays);
      if (Number.isNaN(contractEnd.getTime()) || !(Number.isInteger(keepDays) && keepDays >= leastDays))
        throw new CommandError(usage);
      const details = { contractEnd: values['contract-end']!, keepDays: String(keepDays) };
      await tell(tenant!, 'operator:audit-retention', { kind: 'policy-change', details });
      await saveRetention(database, tenant!, { contractEnd, keepDays });
      print(`${tenant} : gardée ${keepDays} jours après le ${values['contract-end']}.`);
      return 0;
    }
    const states = await inspectParts(database, now);
    if (action === 'list') {
      for (const { part, obstacles } of states)
        print(`${partLabel(part)}  ${obstacles.length > 0 ? `reste : ${obstacles.join(' ; ')}` : 'peut être détruit'}`);
      return 0;
    }
    const state = states.find(({ part }) => subject !== undefined && [part.name, partLabel(part)].includes(subject));
    if (action !== 'destroy' || !state) throw new CommandError(usage);
    const [first] = state.obstacles;
    if (first !== undefined) throw new CommandError(`${subject} reste : ${first}.`);
    const details = { part: state.part.name };
    for (const tenant of new Set([platformTenant, ...state.tenants]))
      await tell(tenant, 'operator:audit-retention', { kind: 'purge', details });
    const destroyed = await destroyPart({ database, keys, now, by: operatorName(env) }, state).catch((error: Error) => {
      throw error instanceof RangeError ? new CommandError(error.message) : error;
    });
    for (const certificate of destroyed) print(JSON.stringify(certificate));
    return 0;
  });
}
