/** What a command works with beside a running server: the database, its store, and the trail that tells what the operator did. */
import { randomUUID } from 'node:crypto';
import { type Access, type AuditKeys, auditKeyFiles, createAccess, openAuditKeys } from '../access/index.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { type Database, openConfiguredDatabase } from '../db/index.ts';
import { type Context, createFhirStore } from '../fhir/index.ts';
import type { Environment } from './environment.ts';
import { operator } from './operator.ts';

export interface OperatorRoom {
  config: Config;
  database: Database;
  store: Awaited<ReturnType<typeof createFhirStore>>;
  access: Access;
  /** The signing keys of the trail; certificates and backups are signed with them too. */
  keys: AuditKeys;
  /** In the name of who typed the command, with the whole tenant in sight. */
  context(tenant: string, interaction: string): Context;
  print(line: string): void;
}

/** Opens the room for one command, and closes it whatever becomes of the command. */
export async function inOperatorRoom<T>(
  env: Environment,
  work: (room: OperatorRoom) => Promise<T>,
  config: Config = loadConfig(env),
): Promise<T> {
  const database = await openConfiguredDatabase(config, { visitor: true });
  try {
    const store = await createFhirStore({ database, checkReferences: false });
    const keys = openAuditKeys(auditKeyFiles(config));
    const access = await createAccess({ database, store, clock: config.clock, secure: false, auditKeys: keys });
    try {
      return await work({
        ...{ config, database, store, access, keys },
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
