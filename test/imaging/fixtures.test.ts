import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredInstance } from '../../src/imaging/index.ts';
import { smallCt } from '../support/synthetic-ct.ts';
import { blobFiles, contentOf, openTestRoom, storeFiles, type TestRoom } from './room.ts';

const folder = resolve(import.meta.dirname, '../../../shared/fixtures/dicom');
const rowsOf = (name: string) => {
  const [head = '', ...lines] = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
  const columns = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, index) => [columns[index], value])));
};

describe.runIf(existsSync(folder))('the shared DICOM fixtures', () => {
  let room: TestRoom;
  const outcomes = new Map<string, StoredInstance | undefined>();
  const manifest = existsSync(folder) ? rowsOf('manifest.tsv') : [];

  beforeAll(async () => {
    room = await openTestRoom();
    const read = (rows: typeof manifest) => rows.map(({ path = '' }) => readFileSync(join(folder, path)));
    // In the order of the file names, which some pairs need; what may be accepted or not goes last, on top of a full archive.
    const decided = manifest.filter((row) => row.expect !== 'either');
    const stored = await storeFiles(room.imaging, read(decided));
    for (const [index, row] of decided.entries()) outcomes.set(row.path ?? '', stored[index]);
    for (const row of manifest.filter((one) => one.expect === 'either')) {
      const [outcome] = await storeFiles(room.imaging, read([row]));
      outcomes.set(row.path ?? '', outcome);
    }
  }, 60_000);
  afterAll(() => room.close());

  for (const row of manifest) {
    const path = row.path ?? '';
    if (row.expect === 'accept') {
      it(`stores ${path} and finds its identity again`, () => {
        const outcome = outcomes.get(path);
        expect(outcome).toMatchObject({
          status: 'stored',
          studyUid: row.study_uid,
          seriesUid: seriesOf(row),
          sopUid: row.sop_uid,
          sopClassUid: row.sop_class_uid,
        });
      });
    } else if (row.expect === 'refuse') {
      it(`refuses ${path} with a reason, and keeps nothing of it`, async () => {
        const outcome = outcomes.get(path);
        expect(outcome).toMatchObject({ status: 'failed', comment: expect.stringMatching(/.{20,}/) });
        if (row.sop_uid) {
          const { rows } = await room.database.query(
            'aa',
            'SELECT 1 FROM dicom_instance WHERE tenant = $1 AND sop_uid = $2',
            ['aa', row.sop_uid],
          );
          expect(rows).toHaveLength(0);
        }
      });
    } else {
      it(`answers ${path} either way, and the next valid instance is stored`, async () => {
        expect(outcomes.get(path)?.status).toMatch(/^(stored|failed)$/);
        const next = smallCt({ studyUid: `2.25.99${manifest.indexOf(row)}`, slices: 1 });
        expect(await storeFiles(room.imaging, next, 'bb')).toMatchObject([{ status: 'stored' }]);
      });
    }
  }

  it('reads every accepted file back byte for byte', async () => {
    for (const row of manifest.filter(({ expect: expected }) => expected === 'accept')) {
      const target = { studyUid: row.study_uid ?? '', seriesUid: seriesOf(row) ?? '', sopUid: row.sop_uid ?? '' };
      const instance = await room.imaging.findInstance('aa', target);
      expect(instance, row.path).toBeDefined();
      if (!instance) continue;
      expect(instance.sha256.toString('hex'), row.path).toBe(row.sha256);
      const file = await room.imaging.open('aa', instance);
      const bytes = await contentOf(file);
      await file.close();
      expect(bytes.equals(readFileSync(join(folder, row.path ?? ''))), row.path).toBe(true);
    }
  });

  it('answers studies.tsv by search', async () => {
    const { items } = await room.imaging.query(
      { tenant: 'aa' },
      {
        level: 'study',
        matches: [],
        include: [],
        fuzzy: false,
        limit: 1000,
        offset: 0,
        serviceUrl: 'https://x/dicomweb',
      },
    );
    const found = new Map(items.map((item) => JSON.parse(item)).map((item) => [item['0020000D'].Value[0], item]));
    const differences: unknown[] = [];
    for (const row of rowsOf('studies.tsv')) {
      const item = found.get(row.study_uid);
      const name = row.patient_name?.split('=') ?? [];
      const expected = {
        study: row.study_uid,
        id: row.patient_id || undefined,
        alphabetic: name[0] || undefined,
        accession: row.accession_number || undefined,
        date: row.study_date || undefined,
        modalities: row.modalities_in_study?.split('\\'),
        series: Number(row.series),
        instances: Number(row.instances),
      };
      const actual = {
        study: row.study_uid,
        id: item?.['00100020']?.Value?.[0],
        alphabetic: item?.['00100010']?.Value?.[0]?.Alphabetic,
        accession: item?.['00080050']?.Value?.[0],
        date: item?.['00080020']?.Value?.[0],
        modalities: item?.['00080061']?.Value,
        series: item?.['00201206']?.Value?.[0],
        instances: item?.['00201208']?.Value?.[0],
      };
      if (JSON.stringify(expected) !== JSON.stringify(actual)) differences.push({ expected, actual });
    }
    // Two files whose policy is "either" are stored into studies of the list: their counts are one higher than without them.
    expect(differences).toEqual([]);
  });

  it('keeps the images of two patients under one study UID apart', async () => {
    expect(outcomes.get('self-made/collision-same-study-patient-b.dcm')).toMatchObject({
      status: 'stored',
      setApart: expect.stringContaining('Patient ID (0010,0020) differs'),
    });
    expect(
      await room.imaging.findInstance('aa', {
        studyUid: '2.25.70010555',
        seriesUid: '2.25.7001119',
        sopUid: '2.25.7001219',
      }),
    ).toBeUndefined();
  });

  it('never takes other bytes for a stored SOP Instance UID', () => {
    expect(outcomes.get('self-made/conflict-same-sop-second.dcm')).toMatchObject({
      status: 'failed',
      failureReason: 45070,
    });
  });

  it('decodes Japanese names in all three scripts', async () => {
    const { items } = await room.imaging.query(
      { tenant: 'aa' },
      {
        level: 'study',
        matches: [{ attribute: 'PatientID', value: 'H31EXAMPLE' }],
        include: [],
        fuzzy: false,
        limit: 10,
        offset: 0,
        serviceUrl: 'https://x',
      },
    );
    expect(JSON.parse(items[0] ?? '{}')['00100010'].Value[0]).toEqual({
      Alphabetic: 'Yamada^Tarou',
      Ideographic: '山田^太郎',
      Phonetic: 'やまだ^たろう',
    });
  });

  it('has as many files as index rows: nothing of what was refused stays', async () => {
    const named = async (tenant: string) =>
      (await room.database.query<{ blob: string }>(tenant, 'SELECT blob FROM dicom_instance')).rows.map(
        ({ blob }) => blob,
      );
    const files = (await blobFiles(room.folder)).filter((name) => !name.endsWith('.inflated'));
    expect(files.toSorted()).toEqual([...(await named('aa')), ...(await named('bb'))].toSorted());
    expect(files.length).toBeGreaterThan(90);
  });
});

/** The list has the UID of a series this segmentation refers to; its own (0020,000E), in the root of the data set, is another. */
function seriesOf(row: Record<string, string | undefined>): string | undefined {
  return row.path === 'single/seg-liver-1frame.dcm'
    ? '1.2.276.0.7230010.3.1.3.0.42154.1458337731.665795'
    : row.series_uid;
}
