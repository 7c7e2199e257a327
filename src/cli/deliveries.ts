import { createDelivery } from '../delivery/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/** What is not over, with its word beside the code that the documents use. */
const stateWords = {
  queued: 'en file',
  held: 'retenu',
  sending: 'en cours',
  failed: 'en échec, réessayé',
  dead: 'abandonné',
} as const;
const shownStates = Object.keys(stateWords) as (keyof typeof stateWords)[];

/** Lists what waits or was set aside in every tenant, or puts one dead letter back in its line. */
export function deliveries(args: string[], env: Environment): Promise<number> {
  const [action = 'list', tenant, id] = args;
  return inAuditRoom(env, async ({ config, database, store, tell }) => {
    const delivery = createDelivery({ database, store, clock: config.clock });
    if (action === 'replay') {
      if (!tenant || !id) throw new CommandError('Lequel ? npm run passerelle -- deliveries replay <groupe> <id>');
      await tell(tenant, 'operator:deliveries-replay', { kind: 'operator-command', details: { id } });
      await delivery.replay(tenant, id);
      process.stdout.write(`${id} : remis en file.\n`);
      return 0;
    }
    if (action !== 'list') throw new CommandError(`« ${action} » est inconnu : list ou replay.`);
    for (const name of await database.tenants()) {
      for (const item of await delivery.list(name, shownStates)) {
        const reason = item.lastError ? `  ${item.lastError}` : '';
        process.stdout.write(
          `${name}  ${item.id}  ${item.state} (${wordOf(item.state)})  ${item.kind} → ${item.destination}  ${item.queuedAt.toISOString()}  ${item.attempts} essais${reason}\n`,
        );
      }
    }
    return 0;
  });
}

function wordOf(state: string): string {
  return (stateWords as Readonly<Record<string, string>>)[state] ?? state;
}
