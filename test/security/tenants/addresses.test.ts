import type { Parameters } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accept, revoke } from '../../../src/access/tenants/index.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import { routes } from '../../../src/fhir/rest/routes.ts';
import { comparable, inB, nowhere, openWorld, type Request, secret, type World } from './world.ts';

/** What A carries over to B's addresses: tokens, sessions, cursors, jobs, sockets. */
let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.close());

describe('the address of another tenant', () => {
  it('is closed to every interaction, as one of a tenant that does not exist', async () => {
    const different: string[] = [];
    const paths = routes
      .filter(({ path }) => path !== 'metadata')
      .map(({ method, path }) => ({
        method,
        path: path
          .replace(/^\$|\/\$/, (start) => `${start}everything`)
          .replace(/:type|:member|:compartment/g, 'Patient')
          .replace(':id', inB)
          .replace(':versionId', '1'),
      }));
    const others = [
      ...['$bulk-status/x', '$bulk-file/x/y', 'ws'].map((path) => ({ method: 'GET', path })),
      { method: 'POST', path: '' },
      { method: 'POST', path: '$import' },
    ];
    for (const { method, path } of [...paths, ...others]) {
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: { resourceType: 'Patient' } };
      const [there, nobody] = await Promise.all(
        ['bb', 'no'].map((tenant) => world.ask({ method, path: `/t/${tenant}/fhir/${path}`, ...body })),
      );
      const isClosed = there!.status === 403 && comparable(there!) === comparable(nobody!);
      // The WebSocket answers who does not upgrade.
      if (!isClosed && path !== 'ws') different.push(`${method} ${path} ${there!.status} ${nobody!.status}`);
    }
    expect(different).toEqual([]);
  });

  it('is closed to DICOMweb', async () => {
    for (const path of ['studies', 'studies/1.2.3', 'studies/1.2.3/metadata', 'instances', 'series']) {
      const [there, nobody] = await Promise.all(
        ['bb', 'no'].map((tenant) => world.ask({ path: `/t/${tenant}/dicomweb/${path}`, headers: { accept: '*/*' } })),
      );
      expect(there!.status, path).toBe(403);
      expect(there!.text).toBe(nobody!.text);
    }
  });

  it('is closed whatever is written into it', async () => {
    for (const path of [
      '/t/bb%2F..%2Faa/fhir/Patient',
      '/t/aa/../bb/fhir/Patient',
      '/t/BB/fhir/Patient',
      '/t/%00/fhir/Patient',
      '/t/all/fhir/Patient',
      '/t//fhir/Patient',
      `/t/${'b'.repeat(200)}/fhir/Patient`,
    ]) {
      const { status, text } = await world.ask({ path });
      expect([403, 404], path).toContain(status);
      expect(text).not.toContain(secret);
    }
    for (const header of ['x-tenant', 'x-forwarded-prefix', 'x-original-url', 'tenant']) {
      const { text } = await world.ask({ path: `/fhir/Patient/${inB}`, headers: { [header]: 'bb' } });
      expect(text, header).not.toContain(secret);
    }
  });

  it('opens to no machine, and to no role that its tenant did not give', async () => {
    const context = systemContext('bb', 'system:tenants', { now: () => new Date() });
    await world.server.store.transaction(context, (tx) =>
      tx.create({ resourceType: 'Organization', id: 'site', name: 'S' }),
    );
    const person = { tenant: 'aa', kind: 'person', display: 'P', reference: 'Practitioner/p' } as const;
    await world.server.access.ensureAccount({ ...person, login: 'person.a', roles: ['radiologist', 'quality'] });
    const token = await world.server.access.issueToken('person.a', 600);
    const ask = (path: string) => world.ask({ path, token });
    await accept(
      world.server,
      context,
      { login: 'person.a', roles: ['auditor'], establishments: ['site'] },
      new Date(),
    );
    expect((await ask(`/t/bb/fhir/Patient/${inB}`)).status).toBe(403);
    expect((await ask('/t/bb/fhir/AuditEvent?_count=1')).status).toBe(200);
    expect((await ask('/t/all/fhir/Task?_count=100')).text).not.toContain(secret);
    await revoke(world.server.store, context, 'person.a', new Date());
    expect((await ask('/t/bb/fhir/AuditEvent?_count=1')).status).toBe(403);
  });
});

describe('what one tenant was given', () => {
  it('is of no use in another: cursors of pages, of histories, of GraphQL', async () => {
    const theirs = async (path: string) => {
      const { text } = await world.ask({ path, token: world.tokenB });
      const next = JSON.parse(text).link?.find(({ relation }: { relation: string }) => relation === 'next')
        ?.url as string;
      return next.slice(next.indexOf('/fhir'));
    };
    for (const path of [
      '/fhir/Patient?_count=1',
      '/fhir/Patient?_count=1&_sort=family',
      '/fhir?_count=1&_type=Patient,Observation',
      '/fhir/Patient/_history?_count=1',
      '/fhir/_history?_count=1',
    ]) {
      const { status, text } = await world.ask({ path: await theirs(path) });
      expect([200, 400], path).toContain(status);
      expect(text, path).not.toContain(secret);
    }
  });

  it('is of no use in another: state and files of its exports', async () => {
    const begun = await world.ask({
      ...{ path: '/fhir/$export?_type=Patient', token: world.tokenB },
      headers: { prefer: 'respond-async' },
    });
    expect(begun.status).toBe(202);
    const status = new URL(begun.headers.get('content-location')!).pathname;
    const done = async (): Promise<{ output: { url: string }[] }> => {
      const answer = await world.ask({ path: status, token: world.tokenB });
      return answer.status === 200 ? JSON.parse(answer.text) : done();
    };
    const file = new URL((await done()).output[0]!.url).pathname;
    expect((await world.ask({ path: file, token: world.tokenB })).text).toContain(secret);
    const unknown = (path: string) => path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '00000000-0000-4000-8000-000000000000');
    for (const [method, path] of [
      ['GET', status],
      ['GET', file],
      ['DELETE', status],
    ] as const) {
      const there = await world.ask({ method, path });
      const nobody = await world.ask({ method, path: unknown(path) });
      expect(comparable(there), `${method} ${path}`).toBe(comparable(nobody));
      expect(there.status).toBe(404);
    }
    expect((await world.ask({ path: file, token: world.tokenB })).status).toBe(200);
  }, 30_000);

  it('is of no use in another: files by their address, as raw bytes and in what is imported', async () => {
    const upload = await world.ask({
      ...{ method: 'POST', path: '/fhir/Binary', token: world.tokenB },
      headers: { 'content-type': 'application/pdf' },
      body: `${secret} file`,
    });
    const id = JSON.parse(upload.text).id ?? new URL(upload.headers.get('location')!).pathname.split('/')[3];
    for (const headers of [{ accept: 'application/pdf' }, { accept: 'application/fhir+json' }]) {
      const there = await world.ask({ path: `/fhir/Binary/${id}`, headers });
      const nobody = await world.ask({ path: `/fhir/Binary/${nowhere}`, headers });
      expect(there.status).toBe(404);
      expect(there.text.replace(id, 'ID')).toBe(nobody.text.replace(nowhere, 'ID'));
    }
    const importing = (binary: string): Request => ({
      ...{ method: 'POST', path: '/fhir/$import', headers: { prefer: 'respond-async' } },
      body: {
        resourceType: 'Parameters',
        parameter: [{ name: 'input', part: [{ name: 'url', valueUrl: `Binary/${binary}` }] }],
      } satisfies Parameters,
    });
    const [there, nobody] = [await world.ask(importing(id)), await world.ask(importing(nowhere))];
    expect(there.text.replace(id, 'ID')).toBe(nobody.text.replace(nowhere, 'ID'));
  });
});

describe('subscriptions', () => {
  const subscription = (criteria: string) => ({
    ...{ resourceType: 'Subscription', status: 'requested', reason: 'r', criteria, channel: { type: 'websocket' } },
  });
  const create = async (criteria: string, token: string) => {
    const { text } = await world.ask({
      method: 'POST',
      path: '/fhir/Subscription',
      body: subscription(criteria),
      token,
    });
    return JSON.parse(text).id as string;
  };
  const tokenFor = async (id: string, token: string) => {
    const { text } = await world.ask({ path: `/fhir/Subscription/${id}/$get-ws-binding-token`, token });
    const { parameter } = JSON.parse(text) as Parameters;
    return parameter?.find(({ name }) => name === 'token')?.valueString;
  };

  it('of a tenant are bound by nobody else, nor told from those that do not exist', async () => {
    const theirs = await create('Patient?', world.tokenB);
    expect(await tokenFor(theirs, world.tokenB)).toMatch(/^bb\./);
    for (const path of ['$status', '$events', '$get-ws-binding-token']) {
      const there = await world.ask({ path: `/fhir/Subscription/${theirs}/${path}` });
      const nobody = await world.ask({ path: `/fhir/Subscription/${nowhere}/${path}` });
      expect(there.status, path).toBe(404);
      expect(there.text.replaceAll(theirs, 'ID'), path).toBe(nobody.text.replaceAll(nowhere, 'ID'));
    }
    const [there, nobody] = await Promise.all([theirs, nowhere].map((id) => socketSays(`bind ${id}`, world.tokenA)));
    expect(there).toBe(nobody);
  });

  it('hear nothing of another tenant’s writes', async () => {
    const heard = await listening(await create('Patient?', world.tokenA), world.tokenA);
    const put = (token: string, id: string) =>
      world.ask({ method: 'PUT', path: `/fhir/Patient/${id}`, token, body: { resourceType: 'Patient', id } });
    await put(world.tokenB, 'written-in-b');
    await put(world.tokenB, inB);
    await put(world.tokenA, 'written-in-a');
    // Events leave in the order of the writes: once A's own is there, B's would be.
    await heard.until((lines) => lines.some((line) => line.startsWith('ping')));
    const { rows } = await world.server.database.query(
      'aa',
      'SELECT resource FROM subscription_event WHERE tenant = $1',
      ['aa'],
    );
    expect(rows.map(({ resource }) => resource)).toEqual(['written-in-a']);
    heard.close();
  }, 30_000);

  function open(token: string, path = '/fhir/ws') {
    const url = `${world.server.httpUrl.replace('http', 'ws')}${path}`;
    return new WebSocket(url, { headers: { authorization: `Bearer ${token}` } } as never);
  }

  async function listening(id: string, token: string) {
    const socket = open(token);
    const lines: string[] = [];
    const waiting = new Set<() => void>();
    socket.addEventListener('message', ({ data }) => {
      lines.push(String(data));
      for (const look of waiting) look();
    });
    const until = (is: (lines: readonly string[]) => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!is(lines)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    socket.send(`bind ${id}`);
    await until((all) => all.some((line) => line.startsWith('bound')));
    return { until, close: () => socket.close() };
  }

  async function socketSays(message: string, token: string): Promise<string> {
    const socket = open(token);
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    const said = new Promise<string>((resolve) =>
      socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true }),
    );
    socket.send(message);
    const text = await said;
    socket.close();
    return text;
  }
});

describe('the time an answer takes', () => {
  it('does not tell an id of another tenant from one that nobody has', async () => {
    const rounds = 80;
    const timesOf: Record<string, number[]> = { [inB]: [], [nowhere]: [] };
    const probes = (id: string) => [`/fhir/Patient/${id}`, `/fhir/Observation?_id=${id}`, `/fhir/Task/${id}/_history`];
    for (let round = 0; round < rounds; round++) {
      for (const id of round % 2 ? [inB, nowhere] : [nowhere, inB]) {
        for (const path of probes(id)) {
          const begin = performance.now();
          await world.ask({ path });
          timesOf[id]!.push(performance.now() - begin);
        }
      }
    }
    const median = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
    const [there, nobody] = [median(timesOf[inB]!), median(timesOf[nowhere]!)];
    // Generous: a look-up that went on because the row is there would add whole round trips to the database.
    expect(Math.abs(there - nobody)).toBeLessThan(0.3 * Math.max(there, nobody) + 0.5);
  }, 60_000);
});
