import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unexplained } from '../../support/fhir-serial/check.ts';
import { acceptedKinds, nameDeletions, tellHistory } from '../../support/fhir-serial/history.ts';
import type { Observation, Told } from '../../support/fhir-serial/log.ts';
import { keys, runMix } from '../../support/fhir-serial/mix.ts';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
let base: string;
beforeAll(async () => {
  server = await testServer();
  base = `${await server.app.listen({ host: '127.0.0.1', port: 0 })}/fhir`;
});
afterAll(() => server.close());

describe('32 writers asking for everything at once', () => {
  it('are answered, and leave a history, as if they had come one after another', async () => {
    const observations = await runMix({ base, seed: 1, writers: 32, goesOn: (done) => done < 15 });
    const { told, problems } = await tellHistory(base, keys);
    nameDeletions(observations, told);
    expect([...problems, ...unexplained(observations, told)]).toEqual([]);
    expect(acceptedKinds(observations).length).toBeGreaterThan(20);
    expect(observations.some(({ status, ifMatch }) => status === 412 && ifMatch)).toBe(true);
    expect(observations.filter(({ status }) => status === 409).length).toBeLessThan(observations.length / 50);
  });
});

describe('the model', () => {
  const request = (name: string, start: number, end: number, rest: Partial<Observation>): Observation => ({
    ...{ name, kind: 'test', start, end, clock: [start, end], status: 200, token: name, wrote: [], read: [] },
    ...rest,
  });
  const told = (version: number, token: string, rest: Partial<Told> = {}): Told => ({
    ...{ ref: 'Patient/a', version, token, isDelete: false, lastUpdated: version },
    ...rest,
  });
  const a = (version: number) => ({ ref: 'Patient/a', version });
  const b = (version: number) => ({ ref: 'Patient/b', version });
  const first = request('first', 0, 1, { wrote: [a(1), b(1)] });
  const start = [told(1, 'first'), told(1, 'first', { ref: 'Patient/b' })];

  it('accepts what came one after another', () => {
    const second = request('second', 2, 3, { wrote: [a(2)], ifMatch: a(1) });
    const reader = request('reader', 4, 5, { read: [a(2)] });
    expect(unexplained([first, second, reader], [...start, told(2, 'second')])).toEqual([]);
  });

  it.each<[string, Observation[], Told[]]>([
    ['an update that was lost', [request('lost', 2, 3, { wrote: [a(2)] })], []],
    ['a version nobody made', [], [told(2, 'ghost')]],
    ['a version two were told', [request('x', 2, 3, { wrote: [a(1)] })], []],
    [
      'an accepted If-Match of an old version',
      [request('x', 2, 3, { wrote: [a(2)] }), request('y', 4, 5, { wrote: [a(3)], ifMatch: a(1) })],
      [told(2, 'x'), told(3, 'y')],
    ],
    ['a refused If-Match of the current version', [request('x', 2, 3, { status: 412, ifMatch: a(1) })], []],
    ['a gap', [request('x', 2, 3, { wrote: [a(3)] })], [told(3, 'x')]],
    [
      'a read of what was overwritten before',
      [request('x', 2, 3, { wrote: [a(2)] }), request('reader', 4, 5, { read: [a(1)] })],
      [told(2, 'x')],
    ],
    [
      'half of a transaction seen',
      [request('both', 2, 6, { wrote: [a(2), b(2)] }), request('reader', 3, 5, { read: [a(2), b(1)] })],
      [told(2, 'both'), told(2, 'both', { ref: 'Patient/b' })],
    ],
    [
      'two transactions that each missed the other',
      [request('x', 2, 6, { wrote: [a(2)], read: [b(1)] }), request('y', 2, 6, { wrote: [b(2)], read: [a(1)] })],
      [told(2, 'x'), told(2, 'y', { ref: 'Patient/b' })],
    ],
    ['a missing resource that is there', [request('x', 2, 3, { missing: { ref: 'Patient/a', was: 'unknown' } })], []],
    [
      'one identifier of two',
      [
        request('x', 2, 3, { wrote: [{ ref: 'Patient/c', version: 1 }] }),
        request('y', 4, 5, { wrote: [{ ref: 'Patient/d', version: 1 }] }),
      ],
      [
        told(1, 'x', { ref: 'Patient/c', key: 'k', lastUpdated: 2 }),
        told(1, 'y', { ref: 'Patient/d', key: 'k', lastUpdated: 4 }),
      ],
    ],
    [
      'a match that was missed',
      [request('x', 2, 3, { wrote: [{ ref: 'Patient/c', version: 1 }] }), request('y', 4, 5, { nobody: 'k' })],
      [told(1, 'x', { ref: 'Patient/c', key: 'k' })],
    ],
  ])('finds %s', (_name, requests, versions) => {
    expect(unexplained([first, ...requests], [...start, ...versions])).not.toEqual([]);
  });
});
