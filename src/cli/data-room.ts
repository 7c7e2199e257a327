/** What commands that act on the data work with: the database, its store, the trail and the vault, beside a running server. */
import { randomUUID } from 'node:crypto';
import { type Access, type AuditKeys, auditKeyFiles, createAccess, openAuditKeys } from '../access/index.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { type Database, openConfiguredDatabase } from '../db/index.ts';
import { type Context, createFhirStore } from '../fhir/index.ts';
import { openConfiguredVault, type Vault } from '../vault/index.ts';
import type { Environment } from './environment.ts';
import { operator } from './operator.ts';

export interface DataRoom {
  config: Config;
  database: Database;
  store: Awaited<ReturnType<typeof createFhirStore>>;
  access: Access;
  /** The signing keys of the trail; certificates and backups are signed with them too. */
  keys: AuditKeys;
  vault: Vault;
  /** In the name of who typed the command, with the whole tenant in sight. */
  context(tenant: string, interaction: string): Context;
  print(line: string): void;
}

/** Opens the room for one command, and closes it whatever becomes of the command. */
export async function inDataRoom<T>(env: Environment, work: (room: DataRoom) => Promise<T>): Promise<T> {
  const config = loadConfig(env);
  const vault = openConfiguredVault(config);
  const database = await openConfiguredDatabase(config, { visitor: true });
  try {
    const store = await createFhirStore({ database, checkReferences: false });
    const keys = openAuditKeys(auditKeyFiles(config));
    const access = await createAccess({ database, store, clock: config.clock, secure: false, auditKeys: keys });
    try {
      return await work({
        ...{ config, database, store, access, keys, vault },
        context: (tenant, interaction) => ({
          ...{ tenant, ...operator(env), requestId: randomUUID(), interaction },
          now: () => config.clock.now(),
        }),
        print: (line) => process.stdout.write(`${line}\n`),
      });
    } finally {
      await access.close();
    }
  } finally {
    await database.close();
  }
}
