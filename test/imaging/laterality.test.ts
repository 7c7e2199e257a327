import { afterAll, beforeAll, expect, it } from 'vitest';
import { testFile } from './dicom-file.ts';
import { openTestRoom, storeFiles, type TestRoom } from './room.ts';

let room: TestRoom;
beforeAll(async () => {
  room = await openTestRoom();
});
afterAll(() => room.close());

const seriesSide = 0x00200060;
const imageSide = 0x00200062;

let last = 0;
/** Images of one series, each with its side; the side the series is shown with. */
async function shown(modality: string, tag: number, ...sides: string[]): Promise<string | undefined> {
  const studyUid = `2.25.77${++last}`;
  for (const [index, side] of sides.entries()) {
    const elements = side === '' ? [] : [[tag, 'CS', side] as const];
    const file = testFile({ modality, studyUid, sopUid: `${studyUid}.1.${index + 1}`, elements });
    expect(await storeFiles(room.imaging, [file])).toMatchObject([{ status: 'stored' }]);
  }
  const [study] = await room.store.search('aa', 'ImagingStudy', `identifier=urn:dicom:uid|urn:oid:${studyUid}`);
  return study?.series?.[0]?.laterality?.code;
}

it('the side of a series is shown as FHIR says it', async () => {
  expect(await shown('CT', seriesSide, 'L')).toBe('7771000');
  expect(await shown('MR', seriesSide, 'R')).toBe('24028007');
  expect(await shown('CT', seriesSide, '')).toBeUndefined();
});

it('the side of projection images is that of their series when all agree, and none when they do not', async () => {
  expect(await shown('DX', imageSide, 'R')).toBe('24028007');
  expect(await shown('DX', imageSide, 'L', 'L')).toBe('7771000');
  expect(await shown('DX', imageSide, 'L', 'R')).toBeUndefined();
});
