import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFile, u16 } from '../../imaging/dicom-file.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { call, firstOf, type Item, itemsOf, startTestService, stow, type TestService } from './server.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const noise = (bytes: number) => randomBytes(bytes / 2).toString('hex');

describe('values no standard foresees', () => {
  it.each([
    ['a NUL inside Study ID', [0x00200010, 'SH', 'A\0B']],
    ['a NUL inside Accession Number', [0x00080050, 'SH', 'ACC\0 12']],
    ['a control character in Study Description', [0x00081030, 'LO', 'TDM\u0001\u0007 TETE']],
    ['a NUL inside Study Description', [0x00081030, 'LO', 'TDM\0TETE']],
    ['a NUL inside Series Description', [0x0008103e, 'LO', 'OS\0 FIN']],
    ['a NUL inside a physician’s name', [0x00080090, 'PN', 'DOC\0TEUR^A']],
    ['an endless Study Description', [0x00081030, 'LO', noise(7000)]],
    ['an endless Accession Number', [0x00080050, 'SH', noise(7000)]],
    ['a Study ID of spaces and NULs', [0x00200010, 'SH', ' \0 \0']],
    ['a Series Number beyond any integer', [0x00200011, 'IS', '99999999999']],
    ['an Instance Number that is no number', [0x00200013, 'IS', 'x\0y']],
    ['a Placer Order Number with a NUL', [0x00402016, 'LO', 'P\0L']],
    ['an impossible time zone', [0x00080201, 'SH', '+99\0 99']],
  ] as const)('stores, shows and finds an instance with %s', async (name, [tag, vr, value]) => {
    const studyUid = `2.25.70${name.length}${tag}`;
    const elements = [[tag, vr, value]] as const;
    const response = await stow(service, [testFile({ studyUid, elements })]);
    expect(response.status, await response.clone().text()).toBe(200);
    const found = await call(service, `/studies?StudyInstanceUID=${studyUid}`);
    expect((await found.json()) as Item[]).toHaveLength(1);
    expect((await call(service, `/studies/${studyUid}/metadata`)).status).toBe(200);
  });

  it.each([
    ['Modality', 'CS', 0x00080060, 'C  T\u0001'],
    ['Modality', 'CS', 0x00080060, 'C\0T'],
    ['Patient ID', 'LO', 0x00100020, 'IPP\0 12'],
    ['Patient ID', 'LO', 0x00100020, noise(7000)],
    ['Patient Name', 'PN', 0x00100010, 'A\0B^\u0001C'],
    ['Patient Name', 'PN', 0x00100010, `${noise(3000)}^${noise(3000)}`],
  ] as const)('stores an instance whose %s (%s) is broken', async (name, _vr, tag, value) => {
    const studyUid = `2.25.71${name.length}${value.length}${tag}`;
    const plain = testFile({ studyUid });
    const file = replaced(plain, tag, value);
    const response = await stow(service, [file]);
    expect(response.status, await response.clone().text()).toBe(200);
    const found = await call(service, `/studies?StudyInstanceUID=${studyUid}`);
    expect((await found.json()) as Item[]).toHaveLength(1);
  });

  it('answers a search for a NUL with 400 or nothing, never with an error of its own', async () => {
    for (const query of ['PatientName=A%00B', 'PatientID=%00', 'PatientName=A%00*', 'ModalitiesInStudy=%00']) {
      const response = await call(service, `/studies?${query}`);
      expect([200, 400], query).toContain(response.status);
    }
  });
});

/** The element of that tag with another value. */
function replaced(file: Buffer, tag: number, value: string): Buffer {
  const head = Buffer.concat([u16(tag >>> 16), u16(tag & 0xffff)]);
  const at = file.indexOf(head, 132);
  const length = file.readUInt16LE(at + 6);
  const body = Buffer.from(value.length % 2 === 0 ? value : `${value} `, 'latin1');
  return Buffer.concat([file.subarray(0, at + 6), u16(body.length), body, file.subarray(at + 8 + length)]);
}

describe('answers', () => {
  it('says again, when a sender repeats itself, that its images were set apart', async () => {
    await stow(service, smallCt({ studyUid: '2.25.7201' }));
    const other = smallCt({ studyUid: '2.25.7201', seriesNumber: 2, patientId: 'IPP-OTHER' });
    expect((await stow(service, other)).status).toBe(202);
    const again = await stow(service, other);
    expect(again.status).toBe(202);
    expect(firstOf(itemsOf((await again.json()) as Item, '00081199')[0], '00081196')).toBe(0xb007);
  });

  it('lets no browser keep a rendered image: another account at the same screen is asked for again', async () => {
    const studyUid = '2.25.7202';
    await stow(service, smallCt({ studyUid, slices: 1 }));
    const response = await call(service, `/studies/${studyUid}/thumbnail`);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toMatch(/no-store|no-cache/);
  });

  it('swaps big endian words of a range that begins and ends between them', async () => {
    const studyUid = '2.25.7203';
    const words = Buffer.alloc(4000);
    for (let at = 0; at < words.length; at += 2) words.writeUInt16BE(at, at);
    const file = testFile({
      studyUid,
      transferSyntax: '1.2.840.10008.1.2.2',
      elements: [[0x7fe00010, 'OW', words]],
    });
    expect((await stow(service, [file])).status).toBe(200);
    const path = `/studies/${studyUid}/series/${studyUid}.1/instances/${studyUid}.1.1/bulkdata/7FE00010`;
    const whole = Buffer.from(await (await call(service, path)).arrayBuffer());
    expect(whole.readUInt16LE(10)).toBe(10);
    const part = await call(service, path, { headers: { range: 'bytes=11-14' } });
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(11, 15));
  });

  it('answers fifty frames in one request', async () => {
    const studyUid = '2.25.7204';
    await stow(service, smallCt({ studyUid, slices: 1 }));
    const [item] = (await (await call(service, `/studies/${studyUid}/instances`)).json()) as Item[];
    const path = `/studies/${studyUid}/series/${firstOf(item, '0020000E')}/instances/${firstOf(item, '00080018')}`;
    const response = await call(service, `${path}/frames/${Array(60).fill(1).join(',')}`);
    expect(response.status).toBe(200);
  });

  it('opens no image for HEAD beyond what the headers need', async () => {
    const studyUid = '2.25.7205';
    await stow(service, smallCt({ studyUid, slices: 3 }));
    let opened = 0;
    const { imaging } = service.room;
    const open = imaging.open;
    imaging.open = (...given) => {
      opened++;
      return open(...given);
    };
    try {
      const response = await call(service, `/studies/${studyUid}`, { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(Number(response.headers.get('content-length'))).toBeGreaterThan(3 * 8192);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(opened).toBe(1);
    } finally {
      imaging.open = open;
    }
  });

  it('ends an answer, not the process, when the database fails in the middle of it', async () => {
    const studyUid = '2.25.7206';
    await stow(service, smallCt({ studyUid, slices: 1 }));
    const { imaging } = service.room;
    const { listMetadata } = imaging;
    imaging.listMetadata = async function* () {
      for (let n = 0; n < 20; n++)
        yield { seriesUid: '1.2', sopUid: `1.3.${n}`, json: `{"x":"${noise(1024 * 1024)}"}` };
      throw new Error('the database is gone');
    };
    try {
      await expect(call(service, `/studies/${studyUid}/metadata`).then((answer) => answer.text())).rejects.toThrow();
    } finally {
      imaging.listMetadata = listMetadata;
    }
    expect((await call(service, `/studies/${studyUid}/metadata`)).status).toBe(200);
  });

  it('answers 304 for a rendering the caller has, after the same checks', async () => {
    const studyUid = '2.25.7207';
    await stow(service, smallCt({ studyUid, slices: 1 }));
    const first = await call(service, `/studies/${studyUid}/thumbnail`);
    const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
    expect((await call(service, `/studies/${studyUid}/thumbnail`, { headers })).status).toBe(304);
    expect((await call(service, `/studies/${studyUid}/thumbnail`, { headers, token: 'aa-nobody' })).status).toBe(403);
  });

  it('sends compressed headers of any size whole', async () => {
    const studyUid = '2.25.7208';
    await stow(service, smallCt({ studyUid, slices: 1 }));
    const { imaging } = service.room;
    const { listMetadata } = imaging;
    imaging.listMetadata = async function* () {
      for (let n = 0; n < 20; n++)
        yield { seriesUid: '1.2', sopUid: `1.3.${n}`, json: `{"x":"${noise(1024 * 1024)}"}` };
    };
    try {
      for (const encoding of ['gzip', 'identity']) {
        const answer = await call(service, `/studies/${studyUid}/metadata`, {
          headers: { 'accept-encoding': encoding },
        });
        expect((await answer.json()) as unknown[]).toHaveLength(20);
      }
    } finally {
      imaging.listMetadata = listMetadata;
    }
  });

  it('answers 415 to a compressed body and says what it takes', async () => {
    const response = await call(service, '/studies', {
      method: 'POST',
      headers: { 'content-type': 'application/dicom', 'content-encoding': 'gzip' },
      body: new Uint8Array(gzipSync(testFile({ studyUid: '2.25.7209' }))),
    });
    expect(response.status).toBe(415);
    expect(response.headers.get('accept-encoding')).toBe('identity');
  });

  it('reads a thousand whole headers at most for one search, and says how many are left', async () => {
    const studyUid = '2.25.7210';
    const files = Array.from({ length: 1003 }, (_, n) => testFile({ studyUid, sopUid: `${studyUid}.1.${n}` }));
    expect((await stow(service, files)).status).toBe(200);
    const response = await call(service, `/studies/${studyUid}/instances?includefield=all`);
    expect((await response.json()) as Item[]).toHaveLength(1000);
    expect(response.headers.get('warning')).toContain('3 additional');
  });

  it('tells which methods an address takes', async () => {
    const response = await call(service, '/studies', { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('allow')).toContain('POST');
    expect((await call(service, '/studies/2.25.1', { method: 'DELETE' })).status).toBe(405);
  });
});
