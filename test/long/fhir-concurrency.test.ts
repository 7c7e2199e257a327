/**
 * Issue 3: 32 writers over HTTP, a random mix of all interactions with If-Match and conditions, for a minute. The seed of a run is
 * printed when it fails: `FHIR_MIX_SEED=… ` asks the same requests again (their interleaving is the machine's).
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, testServer } from '../fhir/rest/server.ts';
import { unexplained } from '../support/fhir-serial/check.ts';
import { acceptedKinds, nameDeletions, tellHistory } from '../support/fhir-serial/history.ts';
import { keys, runMix } from '../support/fhir-serial/mix.ts';

const durationMs = 60_000;
/** Asked by one writer after the others have left: enough for every kind of request to be among them often. */
const askedAlone = 1_500;
const seed = Number(process.env.FHIR_MIX_SEED ?? Math.floor(Math.random() * 1_000_000));

let server: TestServer;
let base: string;
beforeAll(async () => {
  server = await testServer();
  base = `${await server.app.listen({ host: '127.0.0.1', port: 0 })}/fhir`;
});
afterAll(() => server.close());

it(`a serial order explains every answer and the history after a minute of 32 writers (seed ${seed})`, async () => {
  const until = performance.now() + durationMs;
  const observations = await runMix({ base, seed, writers: 32, goesOn: () => performance.now() < until });
  const contested = observations.length;
  // On a slow machine a kind of request may meet others each time: what nobody disturbs is accepted on any.
  const quiet = await runMix({ base, seed: seed + 1, writers: 1, named: 'alone', goesOn: (done) => done < askedAlone });
  observations.push(...quiet);
  const { told, problems } = await tellHistory(base, keys);
  nameDeletions(observations, told);
  expect([...problems, ...unexplained(observations, told)]).toEqual([]);
  const asked = new Set(observations.map(({ kind }) => kind));
  asked.delete('transaction: an update and something invalid');
  expect(acceptedKinds(quiet)).toEqual([...asked].sort());
  const busy = observations.filter(({ status }) => status === 409).length;
  console.log(`${observations.length} requests, ${told.length} versions, ${busy} told that others were in the way`);
  expect(busy).toBeLessThan(contested / 50);
});
