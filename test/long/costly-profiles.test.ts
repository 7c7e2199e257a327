/** A constraint that takes for ever, stored by one account: it stops by itself, and soon its account is not heard for a while. */
import type { StructureDefinition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWholeServer, type WholeServer } from '../security/surface/whole-server.ts';

let whole: WholeServer;
beforeAll(async () => {
  whole = await openWholeServer();
});
afterAll(() => whole.close());

const url = 'https://example.org/StructureDefinition/costly';
const many = '(1|2|3|4|5|6|7|8|9)';
/** Nine values, nested until nobody waits for the end. */
const expression = `${many}.all(${Array.from({ length: 8 }, () => `${many}.all(`).join('')}true${')'.repeat(9)}`;
const profile: StructureDefinition = {
  resourceType: 'StructureDefinition',
  url,
  name: 'Costly',
  status: 'active',
  kind: 'resource',
  abstract: false,
  type: 'Patient',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
  derivation: 'constraint',
  differential: {
    element: [
      { id: 'Patient', path: 'Patient', constraint: [{ key: 'x-1', severity: 'error', human: 'x', expression }] },
    ],
  },
};

it('a few checks that had to be stopped, then 429, while others store the same', async () => {
  const tokens = { one: await whole.token('conformance'), other: await whole.token('ris') };
  const post = async (type: string, resource: object, token = tokens.one) => {
    const answer = await fetch(`${whole.server.httpUrl}/fhir/${type}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
      body: JSON.stringify(resource),
    });
    return { status: answer.status, text: await answer.text() };
  };
  expect((await post('StructureDefinition', profile)).status).toBe(201);
  const patient = { resourceType: 'Patient', meta: { profile: [url] } };
  const answers = [];
  do answers.push(await post('Patient', patient));
  while (answers.at(-1)!.status === 400 && answers.length < 6);
  const refused = answers.pop()!;
  expect([refused.status, refused.text]).toEqual([429, expect.stringContaining('throttled')]);
  expect(answers.length).toBeLessThanOrEqual(4);
  for (const { text } of answers) expect(text).toContain('too-costly');
  expect((await post('Patient', { resourceType: 'Patient' })).status).toBe(201);
  expect((await post('Patient', patient, tokens.other)).text).toContain('too-costly');
}, 60_000);
