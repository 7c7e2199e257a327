/** Images of one establishment, asked for and sent by another, over DICOMweb: as if there were none. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
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

const study = '2.25.7001';
const north = 'aa-of_north';
const south = 'aa-of_south';
let service: TestService;
beforeAll(async () => {
  service = await startTestService();
  expect((await stow(service, smallCt({ studyUid: study, slices: 2 }), '/studies', north)).status).toBe(200);
});
afterAll(() => service.close());

it('are labelled with the establishment that sent them', async () => {
  const [found] = await service.room.store.search<'ImagingStudy'>('aa', 'ImagingStudy', `identifier=urn:oid:${study}`);
  expect((found as ImagingStudy).meta?.security?.map(({ code }) => code)).toEqual(['north']);
});

it('are found and served to it, and to nobody of another', async () => {
  for (const path of ['/studies', '/series', '/instances', `/studies?StudyInstanceUID=${study}`]) {
    expect(((await (await call(service, path, { token: north })).json()) as Item[]).length, path).toBeGreaterThan(0);
    expect(await (await call(service, path, { token: south })).json(), path).toEqual([]);
  }
  const json = { accept: 'application/dicom+json' };
  const nobody = await call(service, '/studies/2.25.9999/metadata', { token: south, headers: json });
  for (const path of [`/studies/${study}/metadata`, `/studies/${study}/series`, `/studies/${study}/instances`]) {
    expect((await call(service, path, { token: north, headers: json })).status, path).toBe(200);
    const refused = await call(service, path, { token: south, headers: json });
    expect(refused.status, path).toBe(404);
  }
  const again = await call(service, `/studies/${study}/metadata`, { token: south, headers: json });
  expect([again.status, await again.text()]).toEqual([nobody.status, await nobody.text()]);
  expect((await call(service, `/studies/${study}`, { token: south })).status).toBe(404);
});

it('are not added to by another: what comes under the same UID is set apart and served to nobody', async () => {
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: study, slices: 3 }).slice(2);
  const answer = await stow(service, [file], '/studies', south);
  const told = itemsOf((await answer.json()) as Item, '00081199');
  expect([answer.status, told.length]).toEqual([202, 1]);
  const instances = async (token: string) =>
    (await (await call(service, `/instances?StudyInstanceUID=${study}`, { token })).json()) as Item[];
  expect(await instances(north)).toHaveLength(2);
  expect(await instances(south)).toEqual([]);
  const [found] = (await (
    await call(service, `/studies?StudyInstanceUID=${study}`, { token: north })
  ).json()) as Item[];
  expect(firstOf(found, '00201208')).toBe(2);
});
