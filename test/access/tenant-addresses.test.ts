import type { Bundle, Parameters, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accept, setEstablishments } from '../../src/access/tenants/index.ts';
import { systemContext } from '../../src/fhir/index.ts';
import { openWholeServer, type WholeServer } from '../security/surface/whole-server.ts';
import { smallCt } from '../support/synthetic-ct.ts';

/** Everything that is served at the caller's own address is served at `/t/<tenant>`, and says that address in what it answers. */
let whole: WholeServer;
let token: string;
let noa: string;
const clock = { now: () => new Date() };
beforeAll(async () => {
  whole = await openWholeServer();
  token = await whole.token('conformance');
  const { access, database, store } = whole.server;
  await database.addTenant('home', 'Group of NOA');
  const context = { ...systemContext('aa', 'system:seed', clock), establishments: ['site'] };
  await store.transaction(context, async (tx) => {
    await tx.create({ resourceType: 'Organization', id: 'site', name: 'SITE' });
    await tx.create({ resourceType: 'Patient', id: 'p1', name: [{ family: 'TEST-AA' }] });
  });
  const person = { tenant: 'home', login: 'noa', kind: 'person', reference: 'Practitioner/noa' } as const;
  await access.ensureAccount({ ...person, display: 'NOA', roles: ['radiologist'] });
  await setEstablishments(database, { tenant: 'home', login: 'noa', establishments: [] });
  await accept(
    { database, store },
    context,
    { login: 'noa', roles: ['radiologist'], establishments: ['site'] },
    new Date(),
  );
  noa = await access.issueToken('noa', 600);
}, 30_000);
afterAll(() => whole?.close());

interface Sent {
  method?: string;
  body?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

const ask = (path: string, bearer: string | undefined, init: Sent = {}) =>
  fetch(`${whole.server.httpUrl}${path}`, {
    ...init,
    headers: { ...(bearer ? { authorization: `Bearer ${bearer}` } : {}), ...init.headers },
  });
const fhirJson = { 'content-type': 'application/fhir+json' };

describe('the address of a tenant by its name', () => {
  it('serves what the caller’s own serves, with full URLs and locations that name it', async () => {
    const search = (await (await ask('/t/aa/fhir/Patient', noa)).json()) as Bundle;
    expect(search.entry?.[0]?.fullUrl).toBe(`${whole.server.httpUrl}/t/aa/fhir/Patient/p1`);
    const body = JSON.stringify({ resourceType: 'Patient' });
    const created = await ask('/t/aa/fhir/Patient', token, { method: 'POST', body, headers: fhirJson });
    expect(created.headers.get('location')).toContain('/t/aa/fhir/Patient/');
  });

  it('exports there, and its files are fetched there', async () => {
    const begun = await ask('/t/aa/fhir/$export?_type=Patient', token, { headers: { prefer: 'respond-async' } });
    const status = begun.headers.get('content-location')!;
    expect(status).toContain('/t/aa/fhir/$bulk-status/');
    const done = async (): Promise<{ output: { url: string }[] }> => {
      const answer = await fetch(status, { headers: { authorization: `Bearer ${token}` } });
      return answer.status === 200 ? ((await answer.json()) as { output: { url: string }[] }) : done();
    };
    const file = (await done()).output[0]!.url;
    expect(file).toContain('/t/aa/fhir/$bulk-file/');
    expect(await (await fetch(file, { headers: { authorization: `Bearer ${token}` } })).text()).toContain('TEST-AA');
  });

  it('stores and serves images there', async () => {
    const [file] = smallCt({ slices: 1 });
    const stored = await ask('/t/aa/dicomweb/studies', token, {
      ...{ method: 'POST', body: new Uint8Array(file!) },
      headers: { 'content-type': 'application/dicom', accept: 'application/dicom+json' },
    });
    expect(await stored.text()).toContain(`${whole.server.httpUrl}/t/aa/dicomweb/studies/2.25.1001/`);
    const metadata = await ask('/t/aa/dicomweb/studies/2.25.1001/metadata', token);
    expect(await metadata.text()).toContain(`${whole.server.httpUrl}/t/aa/dicomweb/studies/2.25.1001/`);
  });

  it('tells who is accepted there by the full URLs of that tenant', async () => {
    const criteria = { resourceType: 'Subscription', status: 'requested', reason: 'r', criteria: 'Patient?' };
    const body = JSON.stringify({ ...criteria, channel: { type: 'websocket' } });
    const created = await ask('/t/aa/fhir/Subscription', noa, { method: 'POST', body, headers: fhirJson });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as Resource;
    const status = await (await ask(`/t/aa/fhir/Subscription/${id}/$status`, noa)).json();
    expect(JSON.stringify(status)).toContain(`${whole.server.httpUrl}/t/aa/fhir/Subscription/${id}`);
    const given = (await (await ask(`/t/aa/fhir/Subscription/${id}/$get-ws-binding-token`, noa)).json()) as Parameters;
    expect(given.parameter?.find(({ name }) => name === 'token')?.valueString).toMatch(/^aa\./);
    expect((await ask(`/fhir/Subscription/${id}`, noa)).status).toBe(404);
  });

  it('makes no documents for tenants that somebody without an account makes up', async () => {
    expect((await ask('/fhir/openapi.json', undefined)).status).toBe(200);
    expect((await ask('/t/made-up/fhir/openapi.json', undefined)).status).toBe(401);
  });
});
