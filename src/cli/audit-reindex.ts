import { parseArgs } from 'node:util';
import pg from 'pg';
import { rewriteSearchValues } from '../fhir/index.ts';
import { inAuditRoom } from './audit-room.ts';
import type { Environment } from './environment.ts';

/**
 * Search values of AuditEvents computed anew, as the owner of the tables: the application may not (decision 0014). After a version
 * that computes more, or when somebody tampered with them; contents are not touched, the chain proves them.
 */
export function auditReindex(args: string[], env: Environment): Promise<number> {
  const { values } = parseArgs({ args, options: { tenant: { type: 'string' } } });
  return inAuditRoom(env, async ({ config, database, tenants, tell, seal }) => {
    const base = () => config.baseUrl && `${config.baseUrl}/fhir`;
    for (const tenant of await tenants(values.tenant)) {
      await tell(tenant, 'operator:audit-reindex', { kind: 'audit-use' });
      await seal(tenant);
      const client = new pg.Client({
        connectionString: database.adminUrl,
        application_name: 'passerelle-audit-reindex',
      });
      // A connection lost while nothing runs on it is told by the next statement; without a listener the process would end.
      client.on('error', () => undefined);
      await client.connect();
      try {
        // The tables are under forced row-level security, for their owner too.
        await client.query("SELECT set_config('passerelle.tenant', $1, false)", [tenant]);
        const seen = await rewriteSearchValues(client, tenant, 'AuditEvent', base);
        process.stdout.write(`${tenant} : ${seen} événements\n`);
      } finally {
        await client.end();
      }
    }
    return 0;
  });
}
