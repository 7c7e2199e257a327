import type { AddressInfo } from 'node:net';
import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import type { Bundle, Observation, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../rest/server.ts';

let server: TestServer;
let medplum: MedplumClient;

beforeAll(async () => {
  server = await testServer();
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.app.server.address() as AddressInfo;
  // Its cache would answer in place of the server.
  medplum = new MedplumClient({ baseUrl: `http://127.0.0.1:${port}/`, fhirUrlPath: 'fhir', cacheTime: 0 });
  medplum.setAccessToken('aa');
});
afterAll(() => server.close());

const identifier = [{ system: 'urn:oid:1.2.3', value: 'medplum-1' }];
const patient: Patient = { resourceType: 'Patient', identifier, name: [{ family: 'TEST-MOREAU', given: ['Zoé'] }] };

describe('MedplumClient, unchanged', () => {
  it('creates, reads, updates, patches, shows the history and deletes', async () => {
    const created = await medplum.createResource(patient);
    expect(created).toMatchObject({ ...patient, meta: { versionId: '1' } });
    expect(await medplum.readResource('Patient', created.id)).toEqual(created);
    const updated = await medplum.updateResource({ ...created, active: true });
    expect(updated).toMatchObject({ active: true, meta: { versionId: '2' } });
    const patched = await medplum.patchResource('Patient', created.id, [
      { op: 'test', path: '/active', value: true },
      { op: 'replace', path: '/active', value: false },
    ]);
    expect(patched).toMatchObject({ active: false, meta: { versionId: '3' } });
    expect(await medplum.readVersion('Patient', created.id, '1')).toEqual(created);
    const history = await medplum.readHistory('Patient', created.id);
    expect(history.entry!.map(({ resource }) => resource!.meta!.versionId)).toEqual(['3', '2', '1']);
    await medplum.deleteResource('Patient', created.id);
    await expect(medplum.readResource('Patient', created.id)).rejects.toThrow(OperationOutcomeError);
  });

  it('creates once under a condition, and updates what it finds or makes', async () => {
    const query = 'identifier=urn:oid:1.2.3|medplum-2';
    const content = { ...patient, identifier: [{ system: 'urn:oid:1.2.3', value: 'medplum-2' }] };
    const first = await medplum.createResourceIfNoneExist(content, query);
    expect(await medplum.createResourceIfNoneExist(content, query)).toEqual(first);
    const upserted = await medplum.upsertResource({ ...content, active: true }, query);
    expect(upserted).toMatchObject({ id: first.id, active: true });
  });

  it('searches, page by page, one or all', async () => {
    for (const value of ['a', 'b', 'c'])
      await medplum.createResource({ ...patient, name: [{ family: 'TEST-PAGES' }], identifier: [{ value }] });
    const bundle = await medplum.search('Patient', 'family=test-pages&_total=accurate');
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 3 });
    const found = await medplum.searchResources('Patient', { family: 'test-pages', _count: 2, _sort: '_id' });
    expect(found).toHaveLength(2);
    expect((await medplum.searchOne('Patient', 'family=test-pages&identifier=b'))!.identifier).toEqual([
      { value: 'b' },
    ]);
    const pages: Patient[][] = [];
    for await (const page of medplum.searchResourcePages('Patient', 'family=test-pages&_count=2&_sort=_id'))
      pages.push(page);
    expect(pages.map((page) => page.length)).toEqual([2, 1]);
  });

  it('sends batches and transactions', async () => {
    const entry = (resource: Patient | Observation, fullUrl?: string) => ({
      ...(fullUrl ? { fullUrl } : {}),
      resource,
      request: { method: 'POST' as const, url: resource.resourceType },
    });
    const reference = 'urn:uuid:2b1c9f7e-30b3-4d4c-9d6c-000000000001';
    const observation: Observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'pH' },
      subject: { reference },
    };
    const transaction: Bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [entry(patient, reference), entry(observation)],
    };
    const answer = await medplum.executeBatch(transaction);
    expect(answer.entry!.map(({ response }) => response!.status)).toEqual(['201 Created', '201 Created']);
    const batch = await medplum.executeBatch({
      resourceType: 'Bundle',
      type: 'batch',
      entry: [entry(patient), entry({ ...patient, gender: 'x' as never })],
    });
    expect(batch.entry!.map(({ response }) => response!.status)).toEqual(['201 Created', '400 Bad Request']);
  });

  it('uploads and reads files', async () => {
    const binary = await medplum.createBinary({ data: 'bonjour', contentType: 'text/plain' });
    expect(binary).toMatchObject({ resourceType: 'Binary', contentType: 'text/plain' });
    const blob = await medplum.download(medplum.fhirUrl('Binary', binary.id!), { headers: { accept: 'text/plain' } });
    expect(await blob.text()).toBe('bonjour');
  });

  it('validates, and understands refusals', async () => {
    const outcome = await medplum
      .validateResource({ ...patient, birthDate: '1980-02-30' })
      .catch((error) => error.outcome);
    expect(outcome.issue[0].expression).toEqual(['Patient.birthDate']);
    const refused = await medplum.createResource({ ...patient, gender: 'x' as never }).catch((error) => error);
    expect(refused).toBeInstanceOf(OperationOutcomeError);
    expect((refused as OperationOutcomeError).outcome.issue[0]!.expression).toEqual(['Patient.gender']);
  });
});
