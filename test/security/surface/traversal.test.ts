/** Paths that lead out of where they belong: DICOM, Binary, Bulk Data, the page and its files. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWholeServer, type WholeServer } from './whole-server.ts';

const secret = 'TEST-SECRET-OUTSIDE';
let whole: WholeServer;
let token: string;
let page: string;

beforeAll(async () => {
  page = await mkdtemp(join(tmpdir(), 'passerelle-page-'));
  await mkdir(join(page, 'ui', 'assets'), { recursive: true });
  await writeFile(join(page, 'secret.txt'), secret);
  await writeFile(join(page, 'ui', '.sources'), secret);
  await writeFile(join(page, 'ui', 'index.html'), '<!doctype html><title>Passerelle</title>');
  whole = await openWholeServer({}, { userInterface: join(page, 'ui') });
  await writeFile(join(whole.folder, 'secret.txt'), secret);
  token = await whole.token('conformance');
});
afterAll(async () => {
  await whole?.close();
  await rm(page, { recursive: true, force: true });
});

/** As it is written here: a client library would take `..` out of the address first. */
function get(path: string, method = 'GET'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(whole.server.httpPort, '127.0.0.1', () => {
      const lines = [`${method} ${path} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${token}`, 'Connection: close'];
      socket.write(`${[...lines, method === 'GET' ? 'Accept: */*' : 'Content-Length: 0'].join('\r\n')}\r\n\r\n`);
    });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve({ status: Number(text.split(' ')[1]), text }));
  });
}

const ups = [
  '..',
  '%2e%2e',
  '%2E%2E',
  '..%2f..',
  '..%5c..',
  '..\\..',
  '%252e%252e',
  '....//',
  '..%00',
  '..;',
  '%c0%ae%c0%ae',
  '..%ef%bc%8f..',
];
const targets = ['secret.txt', '../secret.txt', '.sources', 'etc/passwd', '/etc/passwd', 'package.json'];
const doors = [
  '/',
  '/assets/',
  '/fhir/Binary/',
  '/fhir/Patient/',
  '/fhir/_page/',
  '/fhir/$bulk-file/',
  '/fhir/$bulk-status/',
  '/fhir/$bulk-file/x/',
  '/t/',
  '/t/aa/fhir/Binary/',
  '/dicomweb/studies/',
  '/dicomweb/studies/1.2/series/1.3/instances/1.4/bulkdata/',
  '/dicomweb/studies/1.2/series/1.3/instances/1.4/frames/',
  '/dicomweb/studies/1.2/series/1.3/instances/',
  '/.well-known/',
];

it('no way of writing "one up" opens a file outside, through any door', async () => {
  for (const door of doors) {
    for (const up of ups) {
      for (const target of targets) {
        const path = `${door}${up}/${up}/${target}`.replaceAll(' ', '%20');
        const { status, text } = await get(path);
        expect([path, status]).toEqual([path, expect.toSatisfy((code: number) => code >= 200 && code < 500)]);
        expect(text.includes(secret) || text.includes('root:') || text.includes('"devDependencies"'), path).toBe(false);
      }
    }
  }
}, 60_000);

it.each([
  '/fhir/Binary/..%2f..%2fsecret.txt',
  '/fhir/Patient/%2e%2e',
  '/dicomweb/studies/..%2f..',
  '/.sources',
  '/%2esources',
])('%s is not served', async (path) => {
  const { status, text } = await get(path);
  expect([400, 401, 403, 404]).toContain(status);
  expect(text).not.toContain(secret);
});

it('identifiers of DICOM make no path: what is stored under a hostile UID is refused, and nothing is written outside', async () => {
  const { testFile } = await import('../../imaging/dicom-file.ts');
  const before = (await readdir(whole.folder)).sort();
  for (const uid of ['../../../escape', '1.2/../../x', '..', '..\\..\\x', '1.2\0.3', '/etc/x']) {
    const answer = await fetch(`${whole.server.httpUrl}/dicomweb/studies`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/dicom',
        accept: 'application/dicom+json',
      },
      body: new Uint8Array(testFile({ studyUid: uid, sopUid: uid })),
    });
    expect([uid, answer.status]).toEqual([uid, 409]);
  }
  expect((await readdir(whole.folder)).sort()).toEqual(before);
});
