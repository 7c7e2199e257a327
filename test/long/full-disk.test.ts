/**
 * A disk that is really full: the data folder of a real server, its PostgreSQL and its images, on a small file system that is filled. Writes
 * are refused in the words of each protocol, nothing acknowledged is lost, and the service resumes by itself when there is room again.
 * Needs root on Linux (mount).
 */
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectMllp } from '../../src/adapters/hl7v2/index.ts';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { render, request } from '../fixtures/hl7v2/messages.ts';
import { smallCt } from '../support/synthetic-ct.ts';

const sizeMb = 640;
let folder = '';
let whyNot: string | undefined;
let server: ChildServer | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-full-'));
  await chmod(folder, 0o755);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=0755`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) whyNot = `no file system can be mounted here: ${mounted.stderr ?? mounted.error?.message}`;
  else server = await startChildServer({ LOG_LEVEL: 'fatal' }, folder);
}, 120_000);
afterAll(async () => {
  await server?.stop({ keepData: true });
  if (whyNot === undefined) spawnSync('umount', [folder]);
  await rm(folder, { recursive: true, force: true });
}, 90_000);

interface Answer {
  status: number;
  body: string;
}

/** Takes every octet that is left. */
async function fill(): Promise<void> {
  const file = await open(join(folder, `filler-${Date.now()}`), 'w');
  const block = Buffer.alloc(1024 * 1024);
  try {
    for (let size = block.length; size >= 512; ) {
      const written = await file.write(block, 0, size).then(
        ({ bytesWritten }) => bytesWritten,
        () => 0,
      );
      if (written < size) size = Math.floor(size / 2);
    }
  } finally {
    await file.close();
  }
}

async function makeRoom(): Promise<void> {
  for (const name of await readdir(folder)) if (name.startsWith('filler-')) await rm(join(folder, name));
}

it('refuses while it is full, in the words of each protocol, and resumes by itself with all that was acknowledged', async (context) => {
  if (!server) return context.skip(whyNot);
  const { httpUrl, mllpPort } = server;
  const authorization = `Bearer ${(await server.token('conformance')).trim()}`;
  const post = async (path: string, type: string, body: string | Buffer, more: object = {}): Promise<Answer> => {
    const headers = { authorization, 'content-type': type, accept: 'application/fhir+json', ...more };
    const response = await fetch(`${httpUrl}${path}`, {
      method: 'POST',
      headers,
      body: new Uint8Array(Buffer.from(body)),
    });
    return { status: response.status, body: await response.text() };
  };
  const kept: string[] = [];
  const createBasic = async (n: number) => {
    const id = `full-${n}`;
    const code = { coding: [{ system: 'urn:full', code: id }] };
    // Some of a page each: the room of the log ends soon.
    const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${'x'.repeat(20_000)}</div>` };
    const answer = await post(
      '/fhir/Basic',
      'application/fhir+json',
      JSON.stringify({ resourceType: 'Basic', code, text }),
    );
    if (answer.status === 201) kept.push(id);
    return answer;
  };
  const sendMessage = async (n: number): Promise<string> => {
    const client = await connectMllp({ host: '127.0.0.1', port: mllpPort });
    const message = render(
      request({ controlId: `FULL${n}`, placer: `FULL-${n}`, ipp: `97${String(n).padStart(8, '0')}` }),
    )
      .replace(/~\d{15}\^\^\^ASIP[^|]*/, '')
      .replace('|VALI|', '|PROV|');
    try {
      return /\rMSA\|(\w\w)\|/.exec((await client.send(Buffer.from(message))).toString())?.[1] ?? '';
    } finally {
      await client.close();
    }
  };
  const sendImages = (n: number) => {
    const parts = smallCt({ studyUid: `2.25.88${n}`, patientId: `FULL-${n}` }).flatMap((file) => [
      Buffer.from('--b\r\nContent-Type: application/dicom\r\n\r\n'),
      file,
      Buffer.from('\r\n'),
    ]);
    const type = 'multipart/related; type="application/dicom"; boundary=b';
    const accept = { accept: 'application/dicom+json' };
    return post('/dicomweb/studies', type, Buffer.concat([...parts, Buffer.from('--b--\r\n')]), accept);
  };
  expect((await createBasic(0)).status).toBe(201);
  expect(await sendMessage(0)).toBe('AA');
  expect((await sendImages(0)).status).toBe(200);

  await fill();
  // What is left of the log's last files is used up first.
  let refused: Answer | undefined;
  for (let n = 1; n < 20_000 && !refused; n++) {
    const answer = await createBasic(n);
    if (answer.status !== 201) refused = answer;
    else if (n % 50 === 0) await fill();
  }
  // In doubt is what was being kept when the log could not grow; what comes after is refused.
  const refusals = [await createBasic(30_000), await createBasic(30_001)];
  expect(refusals.map(({ status }) => status)).toEqual([503, 503]);
  expect(refusals[0]!.body).toContain('rien n’a été enregistré');
  expect([500, 503]).toContain(refused?.status);
  expect(await sendMessage(1)).toMatch(/^A[ER]$/);
  const images = await sendImages(1);
  expect(images.status).toBe(503);
  expect(images.body).toContain("rien n'a été enregistré");
  const imported = await post('/fhir/$import', 'application/fhir+ndjson', 'x'.repeat(1_000_000), {
    prefer: 'respond-async',
  });
  expect(imported.status).toBe(503);
  expect(server.process.exitCode).toBeNull();

  await makeRoom();
  const ready = async () => (await fetch(`${httpUrl}/readyz`)).status;
  // The database is tried again every half minute at most.
  await expect.poll(ready, { timeout: 60_000, interval: 500 }).toBe(200);
  expect((await createBasic(40_000)).status).toBe(201);
  expect(await sendMessage(1)).toBe('AA');
  expect((await sendImages(1)).status).toBe(200);
  const found = new Set<string>();
  let url: string | undefined = `${httpUrl}/fhir/Basic?code=urn:full|&_count=500&_elements=code`;
  while (url !== undefined) {
    const bundle = (await (await fetch(url, { headers: { authorization } })).json()) as Bundle;
    for (const { resource } of bundle.entry ?? [])
      if (resource?.resourceType === 'Basic') found.add(resource.code.coding?.[0]?.code ?? '');
    url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  }
  expect(kept.filter((id) => !found.has(id))).toEqual([]);
  const cases = await fetch(`${httpUrl}/fhir/Task?code=teleradiology-case&_count=100`, { headers: { authorization } });
  const numbers = ((await cases.json()) as Bundle).entry?.map(
    ({ resource }) => (resource as { groupIdentifier?: { value?: string } }).groupIdentifier?.value,
  );
  for (const n of [0, 1]) expect(numbers?.filter((value) => value === `FULL-${n}`)).toHaveLength(1);
}, 240_000);
