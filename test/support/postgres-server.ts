import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensureDatabase, migrate, migrationsFolder, startEmbeddedPostgres } from '../../src/db/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser connection string of the suite's PostgreSQL. */
    superuserUrl: string;
  }
}

/** One real PostgreSQL for the whole run; each test file gets a database copied from a migrated template (`testDatabase`). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(process.env.PASSERELLE_TEST_DIR ?? tmpdir(), 'passerelle-test-'));
  // Durability is not what these tests are about; those that kill the server start one of their own.
  const server = await startEmbeddedPostgres({
    directory: join(directory, 'postgres'),
    settings: ['fsync=off', 'full_page_writes=off', 'max_connections=200', 'shared_buffers=256MB'],
  });
  const template = await ensureDatabase(server.superuserUrl, 'template_passerelle');
  await migrate(template, migrationsFolder);
  project.provide('superuserUrl', server.superuserUrl);
  return async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
