import { establishmentsOf, policiesOf } from '../access/index.ts';
import { limitedTypes, relabel as relabelTenant, systemContext } from '../fhir/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/**
 * After an upgrade from a version without labels: says of every stored case, and of what is part of it, whose it is; and names the
 * accounts that see nothing because they are bound to no establishment. Can be done again, while the server serves.
 */
export async function relabel(args: string[], env: Environment): Promise<number> {
  const [only, ...more] = args;
  if (more.length > 0) throw new CommandError('relabel [groupe]');
  const print = (line: string) => process.stdout.write(`${line}\n`);
  return inAuditRoom(env, async ({ config, database, store, access, tenants, tell }) => {
    for (const tenant of await tenants(only)) {
      const context = systemContext(tenant, 'operator:relabel', config.clock);
      const gained = await relabelTenant(store, context, limitedTypes());
      const counts = Array.from(gained, ([type, count]) => `${type} ${count}`).join(', ');
      print(`${tenant} : ${counts || 'rien à étiqueter'}`);
      for (const { login, roles } of await access.listAccounts(tenant)) {
        const isBound = policiesOf(roles).some(({ grants }) =>
          grants.some(({ rows }) => rows.includes('establishments')),
        );
        if (isBound && (await establishmentsOf(database, tenant, login)).length === 0)
          print(`${tenant} : ${login} n’est lié à aucun établissement et ne voit aucun patient`);
      }
      await tell(tenant, 'operator:relabel', {
        kind: 'operator-command',
        ...(counts ? { details: { labelled: counts } } : {}),
      });
    }
    return 0;
  });
}
