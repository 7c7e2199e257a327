import { platformTenant } from '../db/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/** Keys of the audit trail: `list` prints the public ones, `rotate` makes a new one sign; running servers follow at the next seal. */
export function auditKey([action = 'list']: string[], env: Environment): Promise<number> {
  return inAuditRoom(env, async ({ keys, tell }) => {
    switch (action) {
      case 'list': {
        const { id: current } = await keys.current();
        for (const [id, key] of await keys.trusted()) {
          process.stdout.write(
            `${id}${id === current ? '  signe' : ''}\n${key.export({ type: 'spki', format: 'pem' })}`,
          );
        }
        return 0;
      }
      case 'rotate': {
        const { before, after } = await keys.rotate();
        await tell(platformTenant, 'operator:audit-key-rotate', { kind: 'policy-change', details: { before, after } });
        process.stdout.write(`${after} signe désormais ; ${before} reste crue.\n`);
        return 0;
      }
      default:
        throw new CommandError(`« ${action} » est inconnu : list ou rotate.`);
    }
  });
}
