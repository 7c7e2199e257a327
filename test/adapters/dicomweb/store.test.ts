import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobFiles } from '../../imaging/room.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import {
  call,
  firstOf,
  type Item,
  itemsOf,
  multipartBody,
  multipartType,
  startTestService,
  stow,
  type TestService,
} from './server.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const sopUidOf = (file: Buffer) => /2\.25\.\d+/.exec(file.toString('latin1', 132, 600))?.[0];

describe('STOW-RS', () => {
  it('answers 200 with a reference to each instance and where to retrieve it', async () => {
    const files = smallCt({ studyUid: '2.25.2001' });
    const response = await stow(service, files);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/dicom+json');
    const answer = (await response.json()) as Item;
    expect(firstOf(answer, '00081190')).toBe(`${service.url}/studies/2.25.2001`);
    expect(answer['00081198']).toBeUndefined();
    const [first, ...others] = itemsOf(answer, '00081199');
    expect(others).toHaveLength(2);
    expect(firstOf(first, '00081150')).toBe('1.2.840.10008.5.1.4.1.1.2');
    const retrieved = await call(service, String(firstOf(first, '00081190')), {
      headers: { accept: 'application/dicom' },
    });
    expect(Buffer.from(await retrieved.arrayBuffer()).equals(files[0] ?? Buffer.alloc(0))).toBe(true);
  });

  it('answers 200 again for the same bytes and changes nothing', async () => {
    const files = smallCt({ studyUid: '2.25.2002' });
    await stow(service, files);
    const before = await blobFiles(service.room.folder);
    const response = await stow(service, files);
    expect(response.status).toBe(200);
    expect(itemsOf((await response.json()) as Item, '00081199')).toHaveLength(3);
    expect(await blobFiles(service.room.folder)).toHaveLength(before.length);
    const [found] = (await (await call(service, '/studies?StudyInstanceUID=2.25.2002')).json()) as Item[];
    expect(firstOf(found, '00201208')).toBe(3);
  });

  it('answers 202 with failures by name when some cannot be stored, and stores the others', async () => {
    const [good = Buffer.alloc(0), cut = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.2003' });
    const response = await stow(service, [
      good,
      cut.subarray(0, cut.length - 100),
      Buffer.from('%PDF-1.4 not an image'),
    ]);
    expect(response.status).toBe(202);
    const answer = (await response.json()) as Item;
    expect(itemsOf(answer, '00081199')).toHaveLength(1);
    const [failed, ...others] = itemsOf(answer, '00081198');
    expect(others).toEqual([]);
    expect(firstOf(failed, '00081155')).toBe(sopUidOf(cut));
    expect(firstOf(failed, '00081197')).toBe(0xc000);
    const [unidentified] = itemsOf(answer, '0008119A');
    expect(firstOf(itemsOf(unidentified, '00741048')[0], '00000902')).toContain('DICM');
  });

  it('answers 409 when nothing could be stored, with 45070 for other bytes under a stored SOP Instance UID', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.2004', slices: 1 });
    await stow(service, [file]);
    const changed = Buffer.from(file);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const response = await stow(service, [changed]);
    expect(response.status).toBe(409);
    expect(firstOf(itemsOf((await response.json()) as Item, '00081198')[0], '00081197')).toBe(45070);
    const kept = await call(service, '/studies/2.25.2004', {
      headers: { accept: 'multipart/related; type=application/dicom' },
    });
    expect(Buffer.from(await kept.arrayBuffer()).includes(file.subarray(132))).toBe(true);
  });

  it('refuses instances of another study under /studies/{uid}', async () => {
    const response = await stow(service, smallCt({ studyUid: '2.25.2005', slices: 1 }), '/studies/2.25.9999');
    expect(response.status).toBe(409);
    expect(firstOf(itemsOf((await response.json()) as Item, '00081198')[0], '00081197')).toBe(0xa900);
    expect((await call(service, '/studies/2.25.2005/metadata')).status).toBe(404);
  });

  it.each([
    ['unquoted type and boundary', 'multipart/related; boundary=test-boundary; type=application/dicom'],
    [
      'a transfer-syntax parameter',
      'multipart/related; type="application/dicom"; transfer-syntax=*; boundary="test-boundary"',
    ],
    ['no type', 'Multipart/Related;boundary=test-boundary'],
  ])('understands a Content-Type with %s', async (_, contentType) => {
    const body = multipartBody(smallCt({ studyUid: '2.25.2006', slices: 1 }));
    const response = await call(service, '/studies', {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(body),
    });
    expect(response.status).toBe(200);
  });

  it('stores one instance sent alone as application/dicom', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.2007', slices: 1 });
    const response = await call(service, '/studies', {
      method: 'POST',
      headers: { 'content-type': 'application/dicom' },
      body: new Uint8Array(file),
    });
    expect(response.status).toBe(200);
  });

  it('understands a chunked body after Expect: 100-continue', async () => {
    const body = multipartBody(smallCt({ studyUid: '2.25.2008' }));
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(
        `${service.url}/studies`,
        {
          method: 'POST',
          headers: { authorization: 'Bearer aa', 'content-type': multipartType, expect: '100-continue' },
        },
        (response) => response.resume().once('end', () => resolve(response.statusCode)),
      );
      request.once('error', reject);
      request.once('continue', () => {
        for (let at = 0; at < body.length; at += 1000) request.write(body.subarray(at, at + 1000));
        request.end();
      });
      request.flushHeaders();
    });
    expect(status).toBe(200);
  });

  it.each([
    [415, 'application/json', '{}'],
    [415, 'multipart/related; type="application/dicom+json"; boundary=x', '--x\r\n\r\n[]\r\n--x--'],
    [400, 'multipart/related; type="application/dicom"', 'x'],
    [400, multipartType, 'no boundary here'],
    [400, multipartType, '--test-boundary--'],
    [400, multipartType, '--test-boundary\r\n\r\nnever closed'],
  ])('answers %i with a message to %s', async (status, contentType, body) => {
    const response = await call(service, '/studies', {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    expect(response.status).toBe(status);
    const { message } = (await response.json()) as { message: string };
    expect(message).toMatch(/.{15,}/);
    expect(message).not.toMatch(/at .*\.ts/);
  });

  it('answers 401 without credentials and 403, with its trail, to who may not store', async () => {
    const files = smallCt({ studyUid: '2.25.2009', slices: 1 });
    expect((await fetch(`${service.url}/studies`, { method: 'POST' })).status).toBe(401);
    const before = service.audits.length;
    expect((await stow(service, files, '/studies', 'aa-nobody')).status).toBe(403);
    expect(service.audits.slice(before)).toMatchObject([{ outcome: 'refused', tenant: 'aa' }]);
  });

  it('leaves nothing of a request whose sender disappears half-way', async () => {
    const files = smallCt({ studyUid: '2.25.2010', size: 256 });
    const before = (await blobFiles(service.room.folder)).length;
    const body = multipartBody(files);
    const { hostname, port } = new URL(service.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer aa\r\nContent-Type: ${multipartType}\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        socket.write(body.subarray(0, body.length - 5000), () => socket.destroy());
      });
      socket.once('close', () => resolve());
    });
    await expect.poll(async () => (await blobFiles(service.room.folder)).length).toBe(before);
    expect((await call(service, '/studies/2.25.2010/metadata')).status).toBe(404);
    expect((await stow(service, files)).status).toBe(200);
  });

  it('keeps counts and ImagingStudy right when two senders fill one study at once', async () => {
    const files = smallCt({ studyUid: '2.25.2011', slices: 24 });
    const halves = [0, 1, 2, 3].map((quarter) => files.filter((_, index) => index % 4 === quarter));
    const answers = await Promise.all([...halves, files.slice(0, 12)].map((half) => stow(service, half)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const [study] = (await (await call(service, '/studies?StudyInstanceUID=2.25.2011')).json()) as Item[];
    expect(firstOf(study, '00201208')).toBe(24);
    const [resource] = await service.room.store.search(
      'aa',
      'ImagingStudy',
      'identifier=urn:dicom:uid|urn:oid:2.25.2011',
    );
    expect(resource).toMatchObject({ numberOfInstances: 24, numberOfSeries: 1, series: [{ numberOfInstances: 24 }] });
  });
});
