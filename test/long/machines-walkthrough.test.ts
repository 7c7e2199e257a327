import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { demoHospital } from '../../src/cli/demonstration/seed.ts';

/** What docs/access/machines.md tells an integrator to type, typed. */
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const tools = ['bash', 'openssl', 'curl', 'xxd'];
const missing = tools.filter((tool) => spawnSync('which', [tool]).status !== 0);
let server: ChildServer;
let folder: string;
beforeAll(async () => {
  server = await startChildServer({});
  folder = await mkdtemp(join(tmpdir(), 'passerelle-walkthrough-'));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true });
});

test.skipIf(missing.length > 0)(
  `the walk-through for machines works as it is written${missing.length > 0 ? ` (not here: ${missing} missing)` : ''}`,
  async () => {
    const text = await readFile(new URL('../../docs/access/machines.md', import.meta.url), 'utf8');
    const blocks = Array.from(text.matchAll(/```sh\n(.*?)```/gs), ([, block]) => block);
    expect(blocks.length).toBe(5);
    const script = blocks.join('\n').replaceAll('npm run -s passerelle --', `'${process.execPath}' '${main}'`);
    const { status, stdout, stderr } = spawnSync('bash', ['-eu', '-o', 'pipefail', '-c', script], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        ...{ BASE: server.httpUrl, TENANT: demoHospital.tenant, ESTABLISHMENT: demoHospital.organizationId },
        ...{
          DATA_DIR: server.dataDir,
          PORT: new URL(server.httpUrl).port,
          DATABASE_URL: '',
          BASE_URL: '',
          LOG_LEVEL: 'silent',
        },
      },
    });
    expect([status, stdout, stderr.replace(/^writing RSA key\n/, '')]).toEqual([
      0,
      'ris-chu : enregistré\n200\n200\n',
      '',
    ]);
    expect(JSON.parse(await readFile(join(folder, 'answer.json'), 'utf8')).resourceType).toBe('Bundle');
  },
  120_000,
);
