/** A child server whose demonstration tenant can be filled with a population of any size. */
import pg from 'pg';
import { dataFolder } from '../../config/index.ts';
import { startEmbeddedPostgres } from '../../db/index.ts';
import { createSearchValues } from '../../fhir/index.ts';
import { startChildServer } from '../demo/child-server.ts';
import { demoHospital } from '../demonstration/index.ts';
import { fill, type Population } from './fill/fill.ts';
import { requests } from './fill/population.ts';
import { type HttpLoad, httpLoad } from './http-load.ts';
import { auditEventsMade } from './settle.ts';

export interface PopulatedServer {
  http: HttpLoad;
  raw: pg.Pool;
  tenant: string;
  /** Superuser's connection string. */
  adminUrl: string;
  httpUrl: string;
  /** Bearer token of an account. */
  token(account: string): Promise<string>;
  /** Brings the population to so many arrivals: requests, unless another one was given. */
  growTo(arrivals: number): Promise<void>;
  /** Waits until the AuditEvents of the load so far are made. */
  project(): Promise<void>;
  /** The same, what was written is on disk, and PostgreSQL has cleaned up behind it: the next figure is its own. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** @param connections of the load and of the raw limit. */
export async function startPopulatedServer(
  connections: number,
  population: Population = requests,
): Promise<PopulatedServer> {
  const server = await startChildServer({ LOG_LEVEL: 'error' });
  const postgres = await startEmbeddedPostgres({
    directory: dataFolder({ dataDir: server.dataDir } as Parameters<typeof dataFolder>[0], 'postgres'),
    visitor: true,
  });
  const adminUrl = new URL(postgres.superuserUrl);
  adminUrl.pathname = '/passerelle';
  const raw = new pg.Pool({ connectionString: adminUrl.href, max: connections });
  raw.on('error', () => undefined);
  const http = httpLoad(server.httpUrl, await server.token('conformance'), connections);
  const index = createSearchValues();
  let filled = 0;
  const project = () => auditEventsMade(http);
  return {
    http,
    raw,
    tenant: demoHospital.tenant,
    adminUrl: adminUrl.href,
    httpUrl: server.httpUrl,
    token: server.token,
    async growTo(rows) {
      await fill({ adminUrl: adminUrl.href, tenant: demoHospital.tenant, index, population }, filled, rows);
      filled = rows;
    },
    project,
    async settle() {
      await project();
      // What autovacuum would be at for the next minutes: no day's work leaves as much as this filling.
      await raw.query('VACUUM (ANALYZE)');
      await raw.query('CHECKPOINT');
    },
    async stop() {
      http.close();
      await raw.end();
      await server.stop();
    },
  };
}
