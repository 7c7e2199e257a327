/**
 * Every address of DICOMweb that reads, in every way it can be asked, by UIDs that are out of sight (another establishment's, another
 * tenant's, in quarantine) and by UIDs that nobody has: status, headers, body, trail, and the questions put to the archive are the same.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemContext } from '../../../src/fhir/index.ts';
import { call, firstOf, type Item, startTestService, stow, type TestService } from '../../adapters/dicomweb/server.ts';
import { smallCt } from '../../support/synthetic-ct.ts';

const north = 'aa-of_north';
const south = 'aa-of_south';
/** Of one length, so that answers compare octet by octet. */
const nobodys = '2.25.7409';
const outOfSight = {
  'another establishment’s': { study: '2.25.7401', owner: north },
  'another tenant’s': { study: '2.25.7402', owner: 'bb' },
  'in quarantine': { study: '2.25.7403', owner: south },
} as const;

let service: TestService;
const asked: string[] = [];
beforeAll(async () => {
  service = await startTestService();
  for (const { study, owner } of Object.values(outOfSight))
    expect((await stow(service, smallCt({ studyUid: study, slices: 2 }), '/studies', owner)).status).toBe(200);
  const { store, imaging } = service.room;
  await store.transaction(systemContext('aa', 'system:test', { now: () => new Date() }), (tx) =>
    imaging.quarantine(tx, outOfSight['in quarantine'].study, 'two patients'),
  );
  for (const [name, ask] of Object.entries(imaging))
    Object.assign(imaging, {
      [name]: (...given: unknown[]) => {
        asked.push(name);
        return (ask as (...all: unknown[]) => unknown)(...given);
      },
    });
});
afterAll(() => service.close());

const ways: readonly Record<string, string>[] = [
  { accept: '*/*' },
  { accept: 'application/dicom' },
  { accept: 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.50' },
  { accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*' },
  { accept: 'application/octet-stream', range: 'bytes=0-3' },
  { accept: 'image/png' },
  { accept: 'application/dicom+json', 'accept-encoding': 'gzip' },
  { accept: '*/*', 'if-none-match': '*' },
  { accept: '*/*', 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' },
  { accept: '*/*', range: 'bytes=0-3', 'if-range': 'Thu, 01 Jan 2099 00:00:00 GMT' },
];

/** UIDs of the owner's, and the tag of what the owner is shown. */
async function known({ study, owner }: { study: string; owner: string }) {
  const found = await call(service, `/studies/${study}/instances`, { token: owner });
  const [item] = found.ok ? ((await found.json()) as Item[]) : [];
  const series = String(firstOf(item, '0020000E') ?? '2.25.1');
  const instance = String(firstOf(item, '00080018') ?? '2.25.2');
  const tagOf = async (path: string) =>
    (await call(service, `/studies/${study}${path}`, { token: owner })).headers.get('etag') ?? '"none"';
  return { series, instance, tags: [await tagOf('/metadata'), await tagOf('/thumbnail')] };
}

function addresses(series: string, instance: string): string[] {
  const levels = ['', `/series/${series}`, `/series/${series}/instances/${instance}`] as const;
  const [, ofSeries, image] = levels;
  return [
    ...levels.flatMap((level) => [level, `${level}/metadata`, `${level}/thumbnail`]),
    ...['', '/frames/1', '/frames/9'].map((frame) => `${image}${frame}/rendered`),
    ...[`${image}/frames/1`, `${image}/frames/1,2,9`, `${image}/frames/1/thumbnail`],
    ...[`${image}/bulkdata/7FE00010`, `${image}/bulkdata/00080005`, `${image}/rendered?viewport=8,8&window=1,2`],
    ...['/series', '/instances', `${ofSeries}/instances`],
    ...['/instances?includefield=all&limit=1&offset=1', '/series?fuzzymatching=true&offset=999999999'],
  ];
}

/** What somebody learns of an answer, and what is left of the question. */
async function answerTo(study: string, path: string, init: RequestInit, token: string) {
  // What was remembered of an earlier question is over.
  service.clock.time += 600_000;
  asked.length = 0;
  const trail = service.audits.length;
  const answer = await call(service, `/studies/${study}${path}`, { ...init, token });
  const headers = [...answer.headers].filter(([name]) => name !== 'date');
  const text = `${JSON.stringify(headers)} ${await answer.text()}`;
  return {
    status: answer.status,
    text: text.replaceAll(study, 'UID'),
    left: JSON.stringify(service.audits.slice(trail)).replaceAll(study, 'UID'),
    questions: [...asked],
  };
}

describe.each(Object.entries(outOfSight))('a study %s', (_, out) => {
  it.each(['GET', 'HEAD'])('is to %s as one that nobody has, however it is asked for', async (method) => {
    const { series, instance, tags } = await known(out);
    const conditional = tags.map((tag) => ({
      accept: '*/*',
      'if-none-match': tag,
      'if-range': tag,
      range: 'bytes=0-',
    }));
    for (const path of addresses(series, instance))
      for (const headers of [...(method === 'GET' ? ways : ways.slice(0, 2)), ...conditional]) {
        const there = await answerTo(out.study, path, { method, headers }, south);
        const nobody = await answerTo(nobodys, path, { method, headers }, south);
        const what = `${method} ${path} ${JSON.stringify(headers)}`;
        expect(there, what).toEqual(nobody);
        expect([404, 406], what).toContain(there.status);
        // Somebody who tries numbers leaves a trace for each; what cannot be answered in any case was not looked for.
        expect(there.left.match(/"outcome":"failed"/g) ?? [], what).toHaveLength(there.status === 404 ? 1 : 0);
        if (there.status === 406) expect(there.questions, what).toEqual([]);
      }
  });

  it('is told by nothing that somebody else looks at it', async () => {
    const warm = async (study: string) => {
      service.clock.time += 600_000;
      await call(service, `/studies/${study}/metadata`, { token: out.owner });
      asked.length = 0;
      expect((await call(service, `/studies/${study}/metadata`, { token: south })).status).toBe(404);
      return [...asked];
    };
    expect(await warm(out.study)).toEqual(await warm(nobodys));
  });
});

describe('what was remembered for who sees a study', () => {
  const { study, owner } = outOfSight['another establishment’s'];

  it('is not served to who does not, at any depth', async () => {
    const { series, instance } = await known(outOfSight['another establishment’s']);
    for (const path of addresses(series, instance)) {
      const mine = await call(service, `/studies/${study}${path}`, { token: owner });
      await mine.arrayBuffer();
      asked.length = 0;
      const theirs = await call(service, `/studies/${study}${path}`, { token: south });
      expect([theirs.status, await theirs.json()], path).toMatchObject([404, { status: 404 }]);
      expect(
        asked.filter((name) => name !== 'findStudy'),
        path,
      ).toEqual([]);
    }
  });

  it('is not served to the same account once it sees less', async () => {
    const path = `/studies/${study}/thumbnail`;
    expect((await call(service, path, { token: owner })).status).toBe(200);
    service.sights.delete(owner);
    service.sights.set(owner, { establishments: ['east'], rows: { keys: [], whole: [] } });
    expect((await call(service, path, { token: owner })).status).toBe(404);
    service.sights.delete(owner);
    expect((await call(service, path, { token: owner })).status).toBe(200);
  });
});
