import type { AddressInfo } from 'node:net';
import type { Bundle, CapabilityStatement, OperationOutcome, Patient } from '@medplum/fhirtypes';
import { Client } from 'fhir-kit-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../rest/server.ts';

let server: TestServer;
let client: Client;
let origin: string;

beforeAll(async () => {
  server = await testServer();
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.app.server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  client = new Client({ baseUrl: `${origin}/fhir` });
});
afterAll(() => server.close());

describe('fhir-kit-client over a socket', () => {
  const patient: Patient = { resourceType: 'Patient', name: [{ family: 'TEST-MOREAU', given: ['Zoé'] }], active: true };

  it('reads what the server can do', async () => {
    const statement = (await client.capabilityStatement()) as unknown as CapabilityStatement;
    expect(statement.fhirVersion).toBe('4.0.1');
  });

  it('creates, reads, updates, searches and deletes', async () => {
    const created = (await client.create({ resourceType: 'Patient', body: patient as never })) as unknown as Patient & {
      id: string;
    };
    expect(created).toMatchObject({ ...patient, meta: { versionId: '1' } });
    const { id } = created;
    expect(await client.read({ resourceType: 'Patient', id })).toEqual(created);
    const updated = (await client.update({
      resourceType: 'Patient',
      id,
      body: { ...created, active: false } as never,
    })) as unknown as Patient;
    expect(updated.meta!.versionId).toBe('2');
    expect(await client.vread({ resourceType: 'Patient', id, version: '1' })).toEqual(created);
    const found = (await client.search({
      resourceType: 'Patient',
      searchParams: { family: 'test-moreau' },
    })) as unknown as Bundle;
    expect(found.entry!.map((entry) => entry.resource)).toEqual([updated]);
    const history = (await client.history({ resourceType: 'Patient', id })) as unknown as Bundle;
    expect(history.entry).toHaveLength(2);
    await client.delete({ resourceType: 'Patient', id });
    await expect(client.read({ resourceType: 'Patient', id })).rejects.toMatchObject({ response: { status: 410 } });
  });

  it('patches, and follows the links of pages', async () => {
    const { id } = (await client.create({ resourceType: 'Patient', body: patient as never })) as unknown as {
      id: string;
    };
    const patched = (await client.patch({
      resourceType: 'Patient',
      id,
      jsonPatch: [{ op: 'replace', path: '/active', value: false }],
    })) as unknown as Patient;
    expect(patched).toMatchObject({ active: false, meta: { versionId: '2' } });
    await client.create({ resourceType: 'Patient', body: patient as never });
    const searchParams = { family: 'test-moreau', _count: 1 };
    const first = (await client.search({ resourceType: 'Patient', searchParams })) as unknown as Bundle;
    // The links name the public address, which is not where this test's server listens.
    const bundle = JSON.parse(JSON.stringify(first).replaceAll('http://hospital.example', origin)) as never;
    const second = (await client.nextPage({ bundle })) as unknown as Bundle;
    expect(second.entry![0]!.resource!.id).not.toBe(first.entry![0]!.resource!.id);
  });

  it('sends transactions and runs operations', async () => {
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: patient, request: { method: 'POST', url: 'Patient' } }],
    };
    const answer = (await client.transaction({ body: bundle as never })) as unknown as Bundle;
    expect(answer).toMatchObject({ type: 'transaction-response', entry: [{ response: { status: '201 Created' } }] });
    const outcome = await client.operation({
      resourceType: 'Patient',
      name: 'validate',
      method: 'POST',
      input: { ...patient, gender: 'x' } as never,
    });
    expect((outcome as unknown as OperationOutcome).issue[0]!.expression).toEqual(['Patient.gender']);
  });
});
