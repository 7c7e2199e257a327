import { createDelivery } from '../delivery/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

const shownStates = ['queued', 'held', 'sending', 'failed', 'dead'] as const;

/** Lists what waits or was set aside in every tenant, or puts one dead letter back in its line. */
export function deliveries(args: string[], env: Environment): Promise<number> {
  const [action = 'list', tenant, id] = args;
  return inAuditRoom(env, async ({ config, database, store, tell }) => {
    const delivery = createDelivery({ database, store, clock: config.clock });
    if (action === 'replay') {
      if (!tenant || !id) throw new CommandError('Which one? npm run passerelle -- deliveries replay <tenant> <id>');
      await tell(tenant, 'operator:deliveries-replay', { kind: 'operator-command', details: { id } });
      await delivery.replay(tenant, id);
      process.stdout.write(`${id} is back in its line.\n`);
      return 0;
    }
    if (action !== 'list') throw new CommandError(`"${action}" is unknown: use list or replay.`);
    for (const name of await database.tenants()) {
      for (const item of await delivery.list(name, shownStates)) {
        const reason = item.lastError ? `  ${item.lastError}` : '';
        process.stdout.write(
          `${name}  ${item.id}  ${item.state}  ${item.kind} → ${item.destination}  ${item.queuedAt.toISOString()}  ${item.attempts} attempts${reason}\n`,
        );
      }
    }
    return 0;
  });
}
