import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { loadConfig } from '../../../src/config/index.ts';
import { ensureDatabase } from '../../../src/db/index.ts';
import { type Server, type ServerOptions, startServer } from '../../../src/server.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';

export interface WholeServer {
  server: Server;
  folder: string;
  /** Bearer token of an account with this role in tenant `aa`, made when missing. */
  token(role: string): Promise<string>;
  close(): Promise<void>;
}

/** The application as `serve` composes it, on a database of the tests and free ports. */
export async function openWholeServer(
  env: Record<string, string> = {},
  options: ServerOptions = {},
): Promise<WholeServer> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-surface-'));
  const name = `t_${process.pid}_${Date.now()}`;
  const url = await ensureDatabase(inject('superuserUrl'), name, 'template_passerelle');
  const config = loadConfig({
    DATABASE_URL: url,
    DATA_DIR: folder,
    PORT: '0',
    MLLP_PORT: '0',
    DIMSE_PORT: '0',
    LOG_LEVEL: 'silent',
    DEMO: 'off',
    ...env,
  });
  const server = await startServer(config, options);
  await server.store.addTenant('aa', 'Hospital A');
  return {
    server,
    folder,
    async token(role) {
      await server.access.ensureAccount({
        tenant: 'aa',
        login: `${role}.surface`,
        kind: 'machine',
        reference: `Device/${role}`,
        display: `${role} TEST`,
        roles: [role],
      } as Parameters<typeof server.access.ensureAccount>[0]);
      return server.access.issueToken(`${role}.surface`, 600);
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes a new certificate and key for `localhost`; answers the certificate, to be trusted. */
export async function writeCertificate(paths: { cert: string; key: string }): Promise<string> {
  const { cert, key } = selfSigned(['localhost'], ['127.0.0.1']);
  await writeFile(paths.key, key);
  await writeFile(paths.cert, cert);
  return cert;
}
