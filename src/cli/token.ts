import { auditKeyFiles, createAccess, openAuditKeys } from '../access/index.ts';
import { loadConfig } from '../config/index.ts';
import { openConfiguredDatabase } from '../db/index.ts';
import { createFhirStore } from '../fhir/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { findServer } from './running-server.ts';

const lifetimeSeconds = 12 * 3600;

/** Prints a bearer token of the account named first, valid on the server at `BASE_URL` when set, else at `PORT`. */
export async function token(args: string[], env: Environment): Promise<number> {
  const [account] = args;
  if (!account) throw new CommandError('Which account? For example: npm run -s passerelle -- token ris-demo');
  const config = loadConfig(env);
  const port = config.baseUrl ? Number(new URL(config.baseUrl).port || 443) : config.port;
  const running = config.databaseUrl ? undefined : await findServer(port);
  const database = await openConfiguredDatabase(running ? { ...config, dataDir: running.dataDir } : config, {
    visitor: true,
  });
  try {
    const auditKeys = openAuditKeys(auditKeyFiles(running ? { ...config, dataDir: running.dataDir } : config));
    const store = await createFhirStore({ database, checkReferences: false });
    const access = await createAccess({ database, store, clock: config.clock, secure: false, auditKeys });
    process.stdout.write(`${await access.issueToken(account, lifetimeSeconds)}\n`);
    await access.close();
    return 0;
  } finally {
    await database.close();
  }
}
