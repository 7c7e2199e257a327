import type { ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallCt } from '../../support/synthetic-ct.ts';
import { call, firstOf, type Item, startTestService, stow, type TestService } from './server.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
  const studies = [
    {
      studyUid: '2.25.1',
      patientId: 'P1',
      patientName: 'MARTIN^ZOÉ',
      studyDate: new Date('2026-01-10T08:00:00Z'),
      accessionNumber: 'A1',
    },
    {
      studyUid: '2.25.2',
      patientId: '100%_OFF*',
      patientName: 'MARTINEZ^JEAN-PAUL',
      studyDate: new Date('2026-01-11T21:30:00Z'),
    },
    {
      studyUid: '2.25.3',
      patientId: "'; DROP TABLE dicom_study; --",
      patientName: 'LEFÈVRE^ANNE',
      studyDate: new Date('2026-01-12T09:15:00Z'),
    },
    { studyUid: '2.25.4', patientId: '100X', patientName: 'Люкceмбypг', studyDate: new Date('2026-01-13T09:15:00Z') },
  ];
  await stow(
    service,
    studies.flatMap((study) => smallCt({ ...study, slices: 2 })),
  );
  await stow(service, smallCt({ ...studies[0], seriesNumber: 2, seriesDescription: 'OS', slices: 1 }));
  await stow(service, smallCt({ studyUid: '2.25.5', patientId: 'P1', slices: 1 }), '/studies', 'bb');
});
afterAll(() => service.close());

async function search(path: string, token = 'aa') {
  const response = await call(service, path, { token });
  return {
    status: response.status,
    headers: response.headers,
    items: response.status === 200 ? ((await response.json()) as Item[]) : [],
  };
}
const uids = (items: Item[]) => items.map((item) => firstOf(item, '0020000D'));

describe('QIDO-RS', () => {
  it('lists studies newest first, with what is computed', async () => {
    const { items } = await search('/studies');
    expect(uids(items)).toEqual(['2.25.4', '2.25.3', '2.25.2', '2.25.1']);
    expect(items[3]).toMatchObject({
      '00080020': { vr: 'DA', Value: ['20260110'] },
      '00080056': { vr: 'CS', Value: ['ONLINE'] },
      '00080061': { vr: 'CS', Value: ['CT'] },
      '00081190': { vr: 'UR', Value: [`${service.url}/studies/2.25.1`] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'MARTIN^ZOÉ' }] },
      '00201206': { vr: 'IS', Value: [2] },
      '00201208': { vr: 'IS', Value: [3] },
    });
  });

  it.each([
    ['PatientID=P1', ['2.25.1']],
    ['00100020=P1', ['2.25.1']],
    [`PatientID=${encodeURIComponent('100%_OFF*')}`, ['2.25.2']],
    ['PatientID=100*', ['2.25.4', '2.25.2']],
    ['PatientID=100?', ['2.25.4']],
    ['PatientID=1__X', []],
    [`PatientID=${encodeURIComponent("'; DROP TABLE dicom_study; --")}`, ['2.25.3']],
    ['PatientName=martin%5Ezoe', ['2.25.1']],
    ['PatientName=MART*', ['2.25.2', '2.25.1']],
    ['PatientName=*paul', ['2.25.2']],
    [`PatientName=${encodeURIComponent('люкceмбypг')}`, ['2.25.4']],
    ['PatientName=paul', []],
    ['PatientName=pau&fuzzymatching=true', ['2.25.2']],
    ['PatientName=zoe,mar&fuzzymatching=true', ['2.25.1']],
    ['PatientName=', ['2.25.4', '2.25.3', '2.25.2', '2.25.1']],
    ['StudyInstanceUID=2.25.1,2.25.3', ['2.25.3', '2.25.1']],
    ['StudyInstanceUID=2.25.1%5C2.25.2', ['2.25.2', '2.25.1']],
    ['StudyDate=20260111', ['2.25.2']],
    ['StudyDate=20260111-20260112', ['2.25.3', '2.25.2']],
    ['StudyDate=20260112-', ['2.25.4', '2.25.3']],
    ['StudyDate=-20260110', ['2.25.1']],
    ['StudyTime=2200-2300', ['2.25.2']],
    ['StudyTime=1015', ['2.25.4', '2.25.3']],
    ['StudyDate=20260110-20260111&StudyTime=0900-2200', ['2.25.1']],
    ['StudyDate=20260110-20260111&StudyTime=0800-2330', ['2.25.2', '2.25.1']],
    ['ModalitiesInStudy=MR%5CCT&PatientID=P1', ['2.25.1']],
    ['ModalitiesInStudy=MR&ModalitiesInStudy=CT&PatientID=P1', ['2.25.1']],
    ['ModalitiesInStudy=MR', []],
    ['AccessionNumber=A1', ['2.25.1']],
    ['SeriesDescription=OS', ['2.25.1']],
    ['SOPClassUID=1.2.840.10008.5.1.4.1.1.2&SeriesNumber=2', ['2.25.1']],
    ['RequestAttributesSequence.ScheduledProcedureStepID=1', []],
    ['limit=2&offset=1', ['2.25.3', '2.25.2']],
    ['includefield=00081030,PatientSex&includefield=all', ['2.25.4', '2.25.3', '2.25.2', '2.25.1']],
  ])('finds the studies of ?%s', async (query, expected) => {
    const { status, items } = await search(`/studies?${query}`);
    expect(status).toBe(200);
    expect(uids(items)).toEqual(expected);
  });

  it.each([
    ['NotATag=1', 'NotATag'],
    ['Rows=512', 'Rows'],
    ['StudyDate=tomorrow', 'StudyDate'],
    ['StudyTime=99', 'StudyTime'],
    ['StudyInstanceUID=../x', 'StudyInstanceUID'],
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['offset=-1', 'offset'],
    ['fuzzymatching=perhaps', 'fuzzymatching'],
    ['includefield=NotATag', 'NotATag'],
    ['SeriesNumber=one', 'SeriesNumber'],
  ])('answers 400 naming the parameter to ?%s', async (query, name) => {
    const response = await call(service, `/studies?${query}`);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { message: string }).message).toContain(name);
  });

  it('says how many matches are left when it cuts', async () => {
    const { headers } = await search('/studies?limit=1');
    expect(headers.get('warning')).toMatch(/^299 .*There are 3 additional results/);
    expect((await search('/studies?limit=4')).headers.get('warning')).toBeNull();
  });

  it('never shows another tenant its studies', async () => {
    expect(uids((await search('/studies?PatientID=P1', 'bb')).items)).toEqual(['2.25.5']);
  });

  it('answers series and instances, inside a study and across studies', async () => {
    const inside = await search('/studies/2.25.1/series');
    expect(inside.items.map((item) => [firstOf(item, '00200011'), firstOf(item, '00201209')])).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(firstOf(inside.items[0], '00100020')).toBeUndefined();
    expect((await search('/series?PatientID=P1')).items).toHaveLength(2);
    expect(firstOf((await search('/series?PatientID=P1')).items[0], '00100020')).toBe('P1');
    const series = firstOf(inside.items[0], '0020000E');
    const instances = await search(`/studies/2.25.1/series/${series}/instances`);
    expect(instances.items.map((item) => firstOf(item, '00200013'))).toEqual([1, 2]);
    expect(instances.items[0]).toMatchObject({ '00280010': { Value: [64] }, '00280100': { Value: [16] } });
    expect((await search('/studies/2.25.1/instances')).items).toHaveLength(3);
    expect((await search('/instances?limit=5')).items).toHaveLength(5);
    expect((await search('/studies/2.25.77/series')).status).toBe(404);
  });

  it('adds what the whole header has when an instance search asks for it', async () => {
    const path = '/studies/2.25.1/instances?limit=1&includefield=';
    expect(firstOf((await search(path)).items[0], '00180060')).toBeUndefined();
    expect(firstOf((await search(`${path}KVP`)).items[0], '00180060')).toBe(120);
    expect(firstOf((await search(`${path}all`)).items[0], '00180060')).toBe(120);
  });

  it('understands what a well-known viewer asks', async () => {
    const query = 'limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060%2C00080090%2C00100030';
    expect((await search(`/studies?${query}&StudyDate=20260101-20261231&ModalitiesInStudy=CT`)).items).toHaveLength(4);
    const series = await call(
      service,
      '/studies/2.25.1/series?includefield=00080021%2C00080031%2C0008103E%2C00200011',
      {
        headers: { accept: 'application/dicom+json, multipart/related; type=application/octet-stream' },
      },
    );
    expect(series.status).toBe(200);
  });

  it('refuses XML alone with 406 and compresses for who can read it', async () => {
    const xml = await call(service, '/studies', {
      headers: { accept: 'multipart/related; type="application/dicom+xml"' },
    });
    expect(xml.status).toBe(406);
    const plain = await call(service, '/studies', { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(
      (await call(service, '/studies', { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-encoding'),
    ).toBe('gzip');
  });

  it('records each search before its answer', async () => {
    const before = service.audits.length;
    await search('/studies?PatientID=P1');
    expect(service.audits.slice(before)).toMatchObject([
      { outcome: 'success', interaction: 'dicomweb:qido', query: expect.stringContaining('PatientID=P1') },
    ]);
  });

  it('records which studies a search showed, whatever its level, and nothing is looked for without the right to', async () => {
    for (const level of ['studies', 'series', 'instances']) {
      const before = service.audits.length;
      const { items } = await search(`/${level}?PatientID=P1`);
      const shown = service.audits.at(-1)?.resources as ImagingStudy[];
      expect(service.audits.length - before).toBe(1);
      expect(shown.map(({ identifier }) => identifier?.[0]?.value)).toEqual(['urn:oid:2.25.1']);
      expect(new Set(uids(items))).toEqual(new Set(['2.25.1']));
    }
    // Refused before its values are read: they would be a way to ask.
    expect((await call(service, '/studies?PatientBirthDate=nonsense', { token: 'aa-nobody' })).status).toBe(403);
  });

  it('answers 404 with a message to an address that is none', async () => {
    const response = await call(service, '/patients');
    expect(response.status).toBe(404);
    expect(((await response.json()) as { message: string }).message).toMatch(/DICOMweb/);
  });
});
