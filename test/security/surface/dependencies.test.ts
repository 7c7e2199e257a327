/** The audit of dependencies fails on what it must, and says so when it could not ask. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../../scripts/audit-dependencies.mjs', import.meta.url));
let folder: string;
let registry: Server;
let answer: { status: number; body: object };
let asked: Record<string, string[]>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-audit-'));
  registry = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked = JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  registry.close();
  await rm(folder, { recursive: true });
});

async function audit(
  licence: string,
  reply: typeof answer,
  ...more: string[]
): Promise<{ code: number; text: string }> {
  answer = reply;
  const lock = join(folder, 'lock.json');
  const packages = {
    '': { version: '1.0.0' },
    'node_modules/shipped': { version: '1.2.3', license: licence },
    'node_modules/tool': { version: '4.0.0', license: 'AGPL-3.0-only', dev: true },
  };
  await writeFile(lock, JSON.stringify({ packages }));
  const { port } = registry.address() as AddressInfo;
  const args = [script, '--lock', lock, '--registry', `http://127.0.0.1:${port}`, ...more];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr });
    });
  });
}

const clean = { status: 200, body: {} };
const advisory = (severity: string) => ({
  status: 200,
  body: { shipped: [{ severity, title: 'A hole', url: 'https://example.org/1', vulnerable_versions: '<2' }] },
});

it('passes what is licensed and known for nothing, and asks about production packages only', async () => {
  expect((await audit('MIT OR GPL-3.0-only', clean)).code).toBe(0);
  expect(asked).toEqual({ shipped: ['1.2.3'] });
});

it.each(['AGPL-3.0-only', 'MIT AND GPL-2.0-only', 'SEE LICENSE IN LICENSE.md'])(
  'fails on the licence %s',
  async (licence) => {
    const { code, text } = await audit(licence, clean);
    expect(code).toBe(1);
    expect(text).toContain('shipped 1.2.3');
  },
);

it.each([
  ['low', 0],
  ['moderate', 0],
  ['high', 1],
  ['critical', 1],
])('an advisory of severity %s exits with %i, and is shown', async (severity, code) => {
  const result = await audit('MIT', advisory(severity));
  expect(result.code).toBe(code);
  expect(result.text).toContain('A hole');
});

it('a registry that does not answer is told of, and fails only where that was asked for', async () => {
  const silent = { status: 405, body: {} };
  const told = await audit('MIT', silent);
  expect([told.code, told.text]).toEqual([0, expect.stringContaining('NOT CHECKED')]);
  expect((await audit('MIT', silent, '--strict')).code).toBe(1);
});
