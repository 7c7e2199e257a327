import { randomUUID } from 'node:crypto';
import type { Basic } from '@medplum/fhirtypes';
import { incidentKindSystem, incidentOf, incidentResource } from '../access/index.ts';
import { loadConfig } from '../config/index.ts';
import { openConfiguredDatabase } from '../db/index.ts';
import { createFhirStore } from '../fhir/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { operator } from './operator.ts';

const severityWords = { information: 'information', warning: 'avertissement', critical: 'critique' } as const;
const statusWords = { open: 'ouvert', closed: 'clos' } as const;

/** Security incidents: `list [--all]`, or `close <tenant> <id> <what was done>`. */
export async function incidents(args: string[], env: Environment): Promise<number> {
  const [action = 'list', tenant, id, ...words] = args;
  const config = loadConfig(env);
  const database = await openConfiguredDatabase(config, { visitor: true });
  try {
    const store = await createFhirStore({ database, checkReferences: false });
    if (action === 'close') {
      const handling = words.join(' ').trim();
      if (!tenant || !id || !handling) throw new CommandError('incidents close <groupe> <id> <ce qui a été fait>');
      const context = {
        ...operator(env),
        tenant,
        requestId: randomUUID(),
        interaction: 'operator:incidents',
        now: () => config.clock.now(),
      };
      await store.transaction(context, async (tx) => {
        const resource = await tx.find('Basic', id);
        const incident = resource && incidentOf(resource);
        const key = resource?.identifier?.[0]?.value;
        if (!incident || !key) throw new CommandError(`${id} n’est pas un incident : voyez « incidents list ».`);
        await tx.update({ ...incidentResource({ ...incident, status: 'closed', handling }, key), id });
      });
      process.stdout.write(`${id} : clos.\n`);
      return 0;
    }
    if (action !== 'list') throw new CommandError(`« ${action} » est inconnu : list ou close.`);
    const isAll = args.includes('--all');
    for (const name of await database.tenants()) {
      const found: Basic[] = await store.search(name, 'Basic', `code=${incidentKindSystem}|&_sort=-_lastUpdated`);
      for (const resource of found) {
        const incident = incidentOf(resource);
        if (!incident || (incident.status === 'closed' && !isAll)) continue;
        const { severity, status, kind, occurrences, last, account = '', network = '', detail = '' } = incident;
        process.stdout.write(
          `${name}  ${resource.id}  ${last.toISOString()}  ${statusWords[status]}  ${severityWords[severity]}  ${kind} (${resource.code.text}) ×${occurrences}  ${account} ${network} ${detail}`.trimEnd() +
            '\n',
        );
      }
    }
    return 0;
  } finally {
    await database.close();
  }
}
