/** What a deposit tells its sender of images that are out of its sight: nothing of whose they are, nothing of what is in them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  call,
  firstOf,
  type Item,
  itemsOf,
  startTestService,
  stow,
  type TestService,
} from '../../adapters/dicomweb/server.ts';
import { smallCt } from '../../support/synthetic-ct.ts';

const north = 'aa-of_north';
const south = 'aa-of_south';
const study = '2.25.7501';
const truth = { patientId: 'IPP-7501', patientName: 'TEST-NORTH^ANNE', birthDate: '19700101' };
let service: TestService;
let images: Buffer[];
beforeAll(async () => {
  service = await startTestService();
  images = smallCt({ studyUid: study, slices: 2, ...truth });
  expect((await stow(service, images, '/studies', north)).status).toBe(200);
});
afterAll(() => service.close());

async function told(files: readonly Buffer[], path = '/studies', token = south) {
  const answer = await stow(service, files, path, token);
  const body = (await answer.json()) as Item;
  const comments = ['00081199', '00081198'].flatMap((tag) =>
    itemsOf(body, tag).map((item) => firstOf(itemsOf(item, '00741048')[0], '00000902')),
  );
  return { status: answer.status, comments, body };
}

describe('images under the Study Instance UID of another establishment', () => {
  it('are set apart for the same reason whether or not their patient is the same', async () => {
    const other = { patientId: 'IPP-0', patientName: 'AUTRE^PERSONNE', birthDate: '19991231' };
    const answers = [];
    for (const [seriesNumber, guess] of [truth, { ...truth, ...other }, { ...truth, patientId: 'IPP-0' }].entries()) {
      const files = smallCt({ studyUid: study, slices: 1, seriesNumber: seriesNumber + 2, ...guess });
      answers.push(await told(files, '/studies', `aa-of_guess${seriesNumber}`));
    }
    for (const { status, comments } of answers) {
      expect(status).toBe(202);
      expect(comments).toEqual(answers[0]!.comments);
    }
    const { rows } = await service.room.database.query<{ content: string }>(
      'aa',
      `SELECT content FROM fhir.imagingstudy WHERE tenant = 'aa' AND content LIKE '%mises à l''écart%'`,
    );
    expect(rows).toHaveLength(3);
    for (const { content } of rows) expect(content).not.toContain('differs');
  });
});

describe('an instance that another establishment has', () => {
  it('is not told stored to who will not find it, and not whether its bytes are the same', async () => {
    const changed = Buffer.from(images[0]!);
    changed[changed.length - 1]! ^= 1;
    const [same, other] = [await told([images[0]!]), await told([changed])];
    expect(same).toEqual(other);
    expect(same.status).toBe(409);
    expect((await told([images[0]!], '/studies', north)).status).toBe(200);
  });
});

describe('an instance that no establishment has', () => {
  it('is a duplicate when its sender, bound to none, repeats itself: it must not send for ever', async () => {
    const unbound = 'aa-of_none';
    service.sights.set(unbound, { rows: { keys: [{ parameter: '_security', value: 'urn:x|none' }], whole: [] } });
    const files = smallCt({ studyUid: '2.25.7502', slices: 1 });
    expect((await told(files, '/studies', unbound)).status).toBe(200);
    expect((await told(files, '/studies', unbound)).status).toBe(200);
  });
});

describe('an instance that another tenant has', () => {
  it('is stored like any other', async () => {
    expect((await told(images, `/studies/${study}`, 'bb')).status).toBe(200);
    const found = await call(service, `/studies/${study}/instances`, { token: 'bb' });
    expect((await found.json()) as Item[]).toHaveLength(2);
  });
});
