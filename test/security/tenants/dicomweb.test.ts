import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallCt } from '../../support/synthetic-ct.ts';
import { comparable, openWorld, type Request, secret, type World } from './world.ts';

/** DICOMweb by UIDs that a modality of B made, and by UIDs that nobody made. */
const studyInB = '2.25.1001';
const studyNowhere = '2.25.1002';
let world: World;
let series = '';
let instance = '';
beforeAll(async () => {
  world = await openWorld();
  const stored = await world.ask(stow(smallCt({ studyUid: studyInB, patientName: `${secret}^B` }), '', world.tokenB));
  expect(stored.status).toBe(200);
  const found = await world.ask({ path: '/dicomweb/instances', token: world.tokenB, headers: json });
  const [first] = JSON.parse(found.text) as Record<string, { Value: string[] }>[];
  series = first!['0020000E']!.Value[0]!;
  instance = first!['00080018']!.Value[0]!;
}, 60_000);
afterAll(() => world?.close());

const json = { accept: 'application/dicom+json' };

function stow(files: readonly Buffer[], study = '', token = world.tokenA): Request {
  const head = (type: string) => Buffer.from(`\r\n--part\r\nContent-Type: ${type}\r\n\r\n`);
  const body = Buffer.concat([
    ...files.flatMap((file) => [head('application/dicom'), file]),
    Buffer.from('\r\n--part--\r\n'),
  ]);
  return {
    ...{ method: 'POST', path: `/dicomweb/studies${study}`, token, body },
    headers: { ...json, 'content-type': 'multipart/related; type="application/dicom"; boundary=part' },
  };
}

/** Both answers, without the UIDs that were asked about. */
async function both(request: (study: string) => Request): Promise<{ there: string; nobody: string; status: number }> {
  const [there, nobody] = [await world.ask(request(studyInB)), await world.ask(request(studyNowhere))];
  const plain = (text: string) => text.replaceAll(/2\.25\.100[12]/g, 'UID');
  return { there: plain(comparable(there)), nobody: plain(comparable(nobody)), status: there.status };
}

describe('images of another tenant', () => {
  it('are answered by every address as a study that nobody has', async () => {
    const levels = ['', `/series/${series}`, `/series/${series}/instances/${instance}`];
    const addresses = [
      ...levels.flatMap((level) => ['', '/metadata', '/rendered', '/thumbnail'].map((end) => `${level}${end}`)),
      ...['/series', '/instances', `/series/${series}/instances`],
      `/series/${series}/instances/${instance}/frames/1`,
      `/series/${series}/instances/${instance}/frames/1/rendered`,
      `/series/${series}/instances/${instance}/bulkdata/7FE00010`,
    ];
    for (const address of addresses) {
      const accept = address.endsWith('/metadata') || /(?:series|instances)$/.test(address) ? json.accept : '*/*';
      const { there, nobody, status } = await both((study) => ({
        path: `/dicomweb/studies/${study}${address}`,
        headers: { accept },
      }));
      expect(there, address).toBe(nobody);
      expect(status, address).toBe(404);
    }
    const own = await world.ask({ path: `/dicomweb/studies/${studyInB}/metadata`, headers: json, token: world.tokenB });
    expect(own.text).toContain(secret);
  });

  it('are in no search, by any key', async () => {
    const queries = [
      '',
      `StudyInstanceUID=${studyInB}`,
      `PatientName=${secret}*`,
      'PatientID=IPP-1001',
      'AccessionNumber=ACC-1001',
      'fuzzymatching=true&PatientName=secretb',
    ];
    for (const level of ['studies', 'series', 'instances'])
      for (const query of queries) {
        const { status, text } = await world.ask({ path: `/dicomweb/${level}?${query}`, headers: json });
        expect(`${status} ${text}`, `${level}?${query}`).toBe(status === 400 ? `400 ${text}` : '200 []');
        expect(text).not.toContain(`${secret}^`);
      }
  });

  it('are not changed nor told by what is stored under the same UIDs', async () => {
    const metadata = () =>
      world.ask({ path: `/dicomweb/studies/${studyInB}/metadata`, headers: json, token: world.tokenB });
    const before = await metadata();
    const into = (study: string) =>
      stow(smallCt({ studyUid: study, patientName: 'TEST-OTHER^A', slices: 1 }), `/${study}`);
    const { there, nobody } = await both(into);
    const withoutUids = (text: string) => text.replaceAll(/[0-9.]{20,}/g, 'UID');
    expect(withoutUids(there)).toBe(withoutUids(nobody));
    expect((await metadata()).text).toBe(before.text);
    const own = await world.ask({ path: `/dicomweb/studies/${studyInB}/metadata`, headers: json });
    expect(own.text).toContain('TEST-OTHER');
    expect(own.text).not.toContain(secret);
  });
});
