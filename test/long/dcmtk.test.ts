/** A real sender: dcmtk's echoscu and storescu, plain and over TLS, in the encodings its tools make. Where it is not installed the run says so. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodes } from '../../src/access/index.ts';
import { storeClient } from '../../src/access/smart/registration.ts';
import { tlsProtocol } from '../../src/access/tls/index.ts';
import type { Dimse } from '../../src/adapters/dimse/index.ts';
import { type Archive, openArchive } from '../adapters/dimse/archive.ts';
import { datasetOf } from '../adapters/dimse/scu.ts';
import { selfSigned } from '../fhir/subscriptions/certificates.ts';
import { contentOf } from '../imaging/room.ts';
import { signedByItself } from '../security/machines/certificates.ts';
import { smallCt } from '../support/synthetic-ct.ts';

const isInstalled = spawnSync('storescu', ['--version']).status === 0;
if (!isInstalled) process.stderr.write('dcmtk is not installed: DICOM associations were not held against it\n');
const run = promisify(execFile);
const own = signedByItself('pacs-own');
const other = signedByItself('pacs-other');
const tls = selfSigned(['localhost']);
let folder: string;
let archive: Archive;
let plain: Dimse;
let secure: Dimse;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-dcmtk-'));
  archive = await openArchive();
  const { database, store, access, clock } = archive;
  for (const [id, organizationId, pair] of [
    ['own', 'ch-a', own],
    ['other', 'ch-b', other],
  ] as const) {
    await writeFile(join(folder, `${id}.pem`), pair.cert);
    await writeFile(join(folder, `${id}.key`), pair.key);
    await storeClient(
      { database, now: new Date(), keyHosts: [], parametersOf: store.searchParameters },
      {
        ...{ tenant: 'aa', id, kind: 'backend', display: id, organizationId },
        ...{ scopes: ['system/ImagingStudy.c'], redirectUris: [], certificates: [pair.fingerprint] },
      },
    );
  }
  await writeFile(join(folder, 'server.pem'), tls.cert);
  plain = await archive.listen();
  const nodes = createNodes({
    ...{ database, recordActivity: access.recordActivity, required: true },
    now: () => clock.now(),
    realNow: () => new Date(),
  });
  secure = await archive.listen({
    secured: { tls: { options: () => ({ ...tls, ...tlsProtocol }), follow: () => undefined }, nodes },
  });
});
afterAll(async () => {
  await archive.close();
  await rm(folder, { recursive: true, force: true });
});

const titles = ['-aet', 'TEST_PACS', '-aec', 'PASSERELLE'];
const tlsOf = (id: string) => [
  ...['+tls', join(folder, `${id}.key`), join(folder, `${id}.pem`)],
  ...['+cf', join(folder, 'server.pem')],
];

async function storedOf(studyUid: string): Promise<{ transferSyntax: string; bytes: Buffer }[]> {
  const found = [];
  for await (const instance of archive.imaging.listInstances('aa', { studyUid })) {
    const file = await archive.imaging.open('aa', instance);
    found.push({ transferSyntax: instance.transferSyntax, bytes: await contentOf(file) });
    await file.close();
  }
  return found;
}

async function written(studyUid: string, slices: number): Promise<string[]> {
  const paths = [];
  for (const [index, file] of smallCt({ studyUid, slices }).entries()) {
    const path = join(folder, `${studyUid}-${index}.dcm`);
    await writeFile(path, file);
    paths.push(path);
  }
  return paths;
}

describe.skipIf(!isInstalled)('dcmtk', () => {
  it('verifies an association, and hears why one is refused', async () => {
    await run('echoscu', [...titles, '127.0.0.1', String(plain.port)]);
    const refused = (...args: string[]) =>
      run('echoscu', [...args, '127.0.0.1', String(plain.port)]).then(
        () => 'accepted',
        ({ stderr }: { stderr: string }) => stderr,
      );
    expect(await refused('-aet', 'TEST_PACS', '-aec', 'OTHER')).toContain('Called AE Title Not Recognized');
    expect(await refused('-aet', 'NOBODY', '-aec', 'PASSERELLE')).toContain('Calling AE Title Not Recognized');
  });

  it('stores a study on one association, again without effect, and ends it by release', async () => {
    const paths = await written('2.25.7501', 12);
    for (let time = 0; time < 2; time++)
      await run('storescu', [...titles, '-xe', '127.0.0.1', String(plain.port), ...paths]);
    expect(await storedOf('2.25.7501')).toHaveLength(12);
    const ends = await archive.events('aa', 'dimse:release');
    const details = ends.slice(-2).map(({ entity }) => JSON.stringify(entity));
    expect(details[0]).toContain('{"type":"stored","valueString":"12"}');
    expect(details[1]).toContain('{"type":"repeated","valueString":"12"}');
    for (const each of details) expect(each).toContain('released');
  });

  it.each([
    ['implicit little endian', ['dcmconv', '+ti'], '-xi', '1.2.840.10008.1.2'],
    ['big endian', ['dcmconv', '+tb'], '-xb', '1.2.840.10008.1.2.2'],
    ['deflate', ['dcmconv', '+td'], '-xd', '1.2.840.10008.1.2.1.99'],
    ['RLE', ['dcmcrle'], '-xr', '1.2.840.10008.1.2.5'],
    ['JPEG lossless', ['dcmcjpeg', '+e1'], '-xs', '1.2.840.10008.1.2.4.70'],
    ['JPEG-LS', ['dcmcjpls'], '-xt', '1.2.840.10008.1.2.4.80'],
  ])('stores %s as it is sent', async (name, [tool = '', ...options], offer, syntax) => {
    const studyUid = `2.25.7502.${syntax.length}.${syntax.split('.').at(-1)}`;
    const [path = ''] = await written(studyUid, 1);
    const made = `${path}.${name.replaceAll(' ', '-')}`;
    await run(tool, [...options, '--group-length-remove', path, made]).catch(() => run(tool, [...options, path, made]));
    await run('storescu', [...titles, offer, '127.0.0.1', String(plain.port), made]);
    const [stored] = await storedOf(studyUid);
    expect(stored?.transferSyntax).toBe(syntax);
    const kept = stored ? datasetOf(stored.bytes).dataset : Buffer.alloc(0);
    // A compressor makes the stream anew each time it writes: there only what is inside can be the same.
    const sent = datasetOf(await readFile(made)).dataset;
    if (syntax !== '1.2.840.10008.1.2.1.99') expect(kept.equals(sent)).toBe(true);
    const check = join(folder, 'check.dcm');
    await writeFile(check, stored?.bytes ?? '');
    const { stdout } = await run('dcmdump', ['-q', '+P', 'PatientName', '+P', 'MediaStorageSOPInstanceUID', check]);
    expect(stdout).toContain('TEST-MOREAU^CAMILLE');
  });

  it('stores over TLS with the certificate of its establishment, and with no other', async () => {
    const paths = await written('2.25.7503', 2);
    const port = String(secure.port);
    await run('echoscu', [...tlsOf('own'), ...titles, 'localhost', port]);
    await run('storescu', [...tlsOf('own'), ...titles, 'localhost', port, ...paths]);
    expect(await storedOf('2.25.7503')).toHaveLength(2);
    await expect(run('storescu', [...tlsOf('other'), ...titles, 'localhost', port, ...paths])).rejects.toThrow();
    await expect(run('echoscu', [...titles, 'localhost', port])).rejects.toThrow();
    const anonymous = ['--anonymous-tls', '+cf', join(folder, 'server.pem')];
    await expect(run('echoscu', [...anonymous, ...titles, 'localhost', port])).rejects.toThrow();
  });
});
