import { inflateSync } from 'node:zlib';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testContext } from '../../imaging/room.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { call, firstOf, type Item, partsOfAnswer, startTestService, stow, type TestService } from './server.ts';

let service: TestService;
const studyUid = '2.25.3001';
const files = smallCt({ studyUid });
let instances: { path: string; file: Buffer }[] = [];

beforeAll(async () => {
  service = await startTestService();
  const withPreamble = Buffer.from(files[0] ?? '');
  withPreamble.write('#!/bin/sh', 0);
  await stow(service, [withPreamble, ...files.slice(1)]);
  const items = (await (await call(service, `/studies/${studyUid}/instances`)).json()) as Item[];
  instances = items.map((item, index) => ({
    path: `/studies/${studyUid}/series/${firstOf(item, '0020000E')}/instances/${firstOf(item, '00080018')}`,
    file: files[index] ?? Buffer.alloc(0),
  }));
});
afterAll(() => service.close());

const first = () => instances[0] ?? { path: '', file: Buffer.alloc(0) };
const get = (path: string, accept?: string, headers: Record<string, string> = {}) =>
  call(service, path, { headers: { ...(accept ? { accept } : { accept: '' }), ...headers } });
const pixelsOf = (file: Buffer) => file.subarray(file.length - 64 * 64 * 2);

describe('WADO-RS', () => {
  it.each([
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type=application/dicom',
    'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1',
    'multipart/related',
    '*/*',
    'text/html;q=0.1, multipart/related; type="application/dicom";q=0.9',
  ])('sends a study as received, with an empty preamble, to Accept: %s', async (accept) => {
    const response = await get(`/studies/${studyUid}`, accept);
    expect(response.status).toBe(200);
    const parts = await partsOfAnswer(response);
    expect(
      parts.map(({ body }) => body.equals(files[parts.findIndex((part) => part.body === body)] ?? Buffer.alloc(0))),
    ).toEqual([true, true, true]);
    expect(parts[1]?.headers['content-type']).toBe('application/dicom; transfer-syntax=1.2.840.10008.1.2.1');
    expect(parts[1]?.headers['content-location']).toBe(`${service.url}${instances[1]?.path}`);
  });

  it('uses another boundary in every answer', async () => {
    const types = await Promise.all(
      [1, 2].map(async () => (await get(first().path, '*/*')).headers.get('content-type')),
    );
    expect(types[0]).not.toBe(types[1]);
  });

  it('sends one instance as a single part, with its length', async () => {
    const response = await get(first().path, 'application/dicom');
    expect(response.headers.get('content-length')).toBe(String(first().file.length));
    expect(Buffer.from(await response.arrayBuffer()).equals(first().file)).toBe(true);
  });

  it.each([
    ['', 'application/zip'],
    ['', 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.90'],
    ['', 'application/dicom'],
    ['/metadata', 'multipart/related; type="application/dicom+xml"'],
  ])('answers 406 with a message for /studies/{uid}%s to Accept: %s', async (suffix, accept) => {
    const response = await get(`/studies/${studyUid}${suffix}`, accept);
    expect(response.status).toBe(406);
    expect(((await response.json()) as { message: string }).message).toMatch(/servi/);
  });

  it('answers metadata at three levels, pixels as an address, and 304 to who has it already', async () => {
    for (const [path, count] of [
      [`/studies/${studyUid}`, 3],
      [first().path.replace(/\/instances.*/, ''), 3],
      [first().path, 1],
    ] as const) {
      const response = await get(`${path}/metadata`, 'application/dicom+json');
      const items = (await response.json()) as Item[];
      expect(items).toHaveLength(count);
      expect(firstOf(items[0], '00100010')).toEqual({ Alphabetic: 'TEST-MOREAU^CAMILLE' });
      expect(firstOf(items[0], '00189345')).toBe(47.3);
      expect(items[0]?.['7FE00010']).toEqual({
        vr: 'OW',
        BulkDataURI: `${service.url}${first().path}/bulkdata/7FE00010`,
      });
      const again = await get(`${path}/metadata`, 'application/dicom+json', {
        'if-none-match': response.headers.get('etag') ?? '',
      });
      expect(again.status).toBe(304);
    }
  });

  it('changes the ETag when the study grows', async () => {
    const uid = '2.25.3002';
    const [one = Buffer.alloc(0), two = Buffer.alloc(0)] = smallCt({ studyUid: uid });
    await stow(service, [one]);
    const before = await get(`/studies/${uid}/metadata`);
    await stow(service, [two]);
    const after = await get(`/studies/${uid}/metadata`, undefined, {
      'if-none-match': before.headers.get('etag') ?? '',
    });
    expect(after.status).toBe(200);
    expect(await after.json()).toHaveLength(2);
  });

  it.each([
    'multipart/related; type=application/octet-stream; transfer-syntax=*',
    'multipart/related; type="application/octet-stream"',
    'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1',
    'application/dicom+json, multipart/related; type=application/octet-stream',
    '*/*',
    '',
  ])('sends a frame in parts to Accept: %s', async (accept) => {
    const response = await get(`${first().path}/frames/1`, accept);
    expect(response.status).toBe(200);
    const [part] = await partsOfAnswer(response);
    expect(part?.headers['content-type']).toBe('application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1');
    expect(part?.body.equals(pixelsOf(first().file))).toBe(true);
  });

  it('sends one frame as octets alone, and bulk data whole or by range', async () => {
    const frame = await get(`${first().path}/frames/1`, 'application/octet-stream');
    expect(Buffer.from(await frame.arrayBuffer()).equals(pixelsOf(first().file))).toBe(true);
    const whole = await get(`${first().path}/bulkdata/7FE00010`, 'multipart/related; type="application/octet-stream"');
    expect((await partsOfAnswer(whole))[0]?.body.equals(pixelsOf(first().file))).toBe(true);
    const range = await get(`${first().path}/bulkdata/7FE00010`, 'application/octet-stream', {
      range: 'bytes=100-199',
    });
    expect(range.status).toBe(206);
    expect(range.headers.get('content-range')).toBe('bytes 100-199/8192');
    expect(Buffer.from(await range.arrayBuffer()).equals(pixelsOf(first().file).subarray(100, 200))).toBe(true);
    expect((await get(`${first().path}/bulkdata/7FE00010`, '*/*', { range: 'bytes=9000-' })).status).toBe(416);
    expect((await get(`${first().path}/bulkdata/00091010`, '*/*')).status).toBe(404);
  });

  it.each([
    ['/frames/2', 404],
    ['/frames/0', 400],
    ['/frames/1,x', 400],
    ['/frames/2/rendered', 404],
    ['/rendered?window=40', 400],
    ['/rendered?annotation=patient', 400],
    ['/bulkdata/nothing', 400],
  ])('answers %s with %i and a message', async (suffix, status) => {
    const response = await get(`${first().path}${suffix}`, '*/*');
    expect(response.status).toBe(status);
    expect(((await response.json()) as { message: string }).message).toMatch(/.{10,}/);
  });

  it('renders a PNG with the window asked for, and thumbnails at every level', async () => {
    const response = await get(`${first().path}/rendered?window=40,80,linear`, 'image/png, image/jpeg');
    expect(response.headers.get('content-type')).toBe('image/png');
    const png = Buffer.from(await response.arrayBuffer());
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([64, 64]);
    const gray = decodedGray(png, 64);
    // Air is black, bone white.
    expect([gray[0], Math.max(...gray)]).toEqual([0, 255]);
    for (const path of [
      `/studies/${studyUid}`,
      first().path.replace(/\/instances.*/, ''),
      first().path,
      `${first().path}/frames/1`,
    ]) {
      expect((await get(`${path}/thumbnail`, 'image/png')).status).toBe(200);
    }
    const small = Buffer.from(await (await get(`${first().path}/rendered?viewport=32,16`, 'image/*')).arrayBuffer());
    expect([small.readUInt32BE(16), small.readUInt32BE(20)]).toEqual([16, 16]);
    expect((await get(`${first().path}/rendered`, 'image/jpeg')).status).toBe(406);
  });

  it('refuses addresses that are not UIDs, and knows nothing of other studies, series and tenants', async () => {
    expect((await get('/studies/..%2f..%2fetc/metadata')).status).toBe(400);
    expect((await get('/studies/2.25.404')).status).toBe(404);
    expect((await get(`/studies/${studyUid}/series/2.25.404`)).status).toBe(404);
    expect((await get(`/studies/${studyUid}/series/2.25.404/metadata`)).status).toBe(404);
    expect((await call(service, `/studies/${studyUid}`, { token: 'bb' })).status).toBe(404);
    expect((await call(service, `${first().path}/frames/1`, { token: 'aa-nobody' })).status).toBe(403);
    expect((await fetch(`${service.url}${first().path}/frames/1`)).status).toBe(401);
  });

  it('records one access per actor, study and five minutes, before the first byte', async () => {
    const seen = () =>
      service.audits.filter(({ interaction, outcome }) => interaction === 'dicomweb:wado' && outcome === 'success');
    service.clock.time += 600_000;
    const before = seen().length;
    await Promise.all(instances.map(({ path }) => get(`${path}/frames/1`)));
    await get(`/studies/${studyUid}/metadata`);
    expect(seen().slice(before)).toMatchObject([{ resources: [{ resourceType: 'ImagingStudy' }], tenant: 'aa' }]);
    await call(service, `${first().path}/frames/1`, { token: 'aa-other' });
    expect(seen().length - before).toBe(2);
    service.clock.time += 300_001;
    await get(`${first().path}/frames/1`);
    expect(seen().length - before).toBe(3);
  });

  it('records it again once the study is known to be a patient’s: who looks for the patient finds who saw the images', async () => {
    const seen = () =>
      service.audits.filter(({ interaction, outcome }) => interaction === 'dicomweb:wado' && outcome === 'success');
    const { store } = service.room;
    const [study] = await store.search('aa', 'ImagingStudy', `identifier=urn:dicom:uid|urn:oid:${studyUid}`);
    const say = (subject: ImagingStudy['subject'], more: Partial<ImagingStudy> = {}) =>
      store.transaction(testContext(), (tx) => tx.update({ ...study!, ...more, id: study!.id!, subject }));
    service.clock.time += 600_000;
    const before = seen().length;
    await get(`${first().path}/frames/1`);
    await say({ reference: 'Patient/p1' });
    await get(`${first().path}/frames/1`);
    await say({ reference: 'Patient/p1' }, { description: 'TEST' });
    await get(`${first().path}/frames/1`);
    expect(
      seen()
        .slice(before)
        .map(({ resources }) => (resources[0] as ImagingStudy).subject.reference),
    ).toEqual([study!.subject.reference, 'Patient/p1']);
    await say(study!.subject);
  });

  it('serves nothing of a study in quarantine, at once, until it is lifted', async () => {
    const { store, imaging } = service.room;
    expect((await get(`${first().path}/frames/1`)).status).toBe(200);
    await store.transaction(testContext(), (tx) => imaging.quarantine(tx, studyUid, 'identité contradictoire'));
    for (const path of [
      `${first().path}/frames/1`,
      `/studies/${studyUid}`,
      `/studies/${studyUid}/series`,
      `/studies/${studyUid}/metadata`,
    ]) {
      expect((await get(path)).status, path).toBe(404);
    }
    expect(await (await call(service, `/studies?StudyInstanceUID=${studyUid}`)).json()).toEqual([]);
    await store.transaction(testContext(), (tx) => imaging.liftQuarantine(tx, studyUid));
    expect((await get(`${first().path}/frames/1`)).status).toBe(200);
  });
});

/** Samples of an 8-bit gray PNG whose rows use the filter "difference from the left". */
function decodedGray(png: Buffer, size: number): number[] {
  const at = png.indexOf('IDAT');
  const rows = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
  const samples: number[] = [];
  for (let row = 0; row < size; row++) {
    let left = 0;
    for (let column = 0; column < size; column++) {
      left = ((rows[row * (size + 1) + 1 + column] ?? 0) + left) & 0xff;
      samples.push(left);
    }
  }
  return samples;
}
