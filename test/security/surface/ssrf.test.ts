/**
 * Addresses inside what clients send: the server connects to none of them by itself. Where it must (Subscriptions, key sets), addresses are
 * judged when connecting: test/fhir/subscriptions/endpoint.test.ts (names that change, redirects), test/security/machines/key-sets.test.ts.
 */
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWholeServer, type WholeServer } from './whole-server.ts';

let whole: WholeServer;
let authorization: string;
let trap: Server;
let knocks = 0;
let port = 0;

beforeAll(async () => {
  trap = createServer((socket) => {
    knocks++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  port = (trap.address() as { port: number }).port;
  whole = await openWholeServer();
  authorization = `Bearer ${await whole.token('conformance')}`;
});
afterAll(async () => {
  await whole?.close();
  trap?.close();
});

const json = 'application/fhir+json';
async function send(method: string, path: string, body?: object, more: Record<string, string> = {}) {
  const answer = await fetch(`${whole.server.httpUrl}${path}`, {
    method,
    headers: { authorization, 'content-type': json, ...more },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, text: await answer.text() };
}

it('no address inside a resource, a parameter or a header is connected to', async () => {
  const url = `http://127.0.0.1:${port}/x`;
  const attachment = { contentType: 'application/pdf', url };
  const sent = [
    send('POST', '/fhir/DocumentReference', {
      resourceType: 'DocumentReference',
      status: 'current',
      content: [{ attachment }],
    }),
    send('POST', '/fhir/Patient', {
      resourceType: 'Patient',
      meta: { profile: [url] },
      implicitRules: url,
      photo: [attachment],
    }),
    send('POST', '/fhir/Patient', { resourceType: 'Patient', managingOrganization: { reference: url } }),
    send('POST', '/fhir/Observation', {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: url, code: 'x' }] },
      extension: [{ url, valueUri: url }],
    }),
    send('POST', '/fhir/Endpoint', {
      resourceType: 'Endpoint',
      status: 'active',
      connectionType: { code: 'hl7-fhir-rest' },
      payloadType: [{ text: 'x' }],
      address: url,
    }),
    send('POST', '/fhir/Library', {
      resourceType: 'Library',
      status: 'active',
      type: { text: 'x' },
      content: [attachment],
    }),
    send('POST', '/fhir/StructureDefinition', {
      resourceType: 'StructureDefinition',
      url: 'https://example.org/sd',
      name: 'X',
      status: 'active',
      kind: 'resource',
      abstract: false,
      type: 'Patient',
      baseDefinition: url,
      derivation: 'constraint',
      differential: { element: [{ id: 'Patient', path: 'Patient' }] },
    }),
    send('POST', '/fhir/Patient/$validate', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'profile', valueUri: url },
        { name: 'resource', resource: { resourceType: 'Patient' } },
      ],
    }),
    send('GET', `/fhir/ValueSet/$expand?url=${encodeURIComponent(url)}`),
    send('POST', '/fhir/ValueSet/$expand', {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'valueSet',
          resource: {
            resourceType: 'ValueSet',
            status: 'active',
            compose: { include: [{ system: url, valueSet: [url] }] },
          },
        },
      ],
    }),
    send('GET', `/fhir/CodeSystem/$lookup?system=${encodeURIComponent(url)}&code=x`),
    send(
      'POST',
      '/fhir/$import',
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'inputFormat', valueCode: 'application/fhir+ndjson' },
          {
            name: 'input',
            part: [
              { name: 'resourceType', valueCode: 'Patient' },
              { name: 'url', valueUrl: url },
            ],
          },
        ],
      },
      { prefer: 'respond-async' },
    ),
    send('GET', `/fhir/Patient?_profile=${encodeURIComponent(url)}&organization=${encodeURIComponent(url)}`),
    send('GET', '/fhir/metadata', undefined, { 'x-forwarded-host': `127.0.0.1:${port}`, referer: url, origin: url }),
    send('POST', '/fhir', {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ fullUrl: url, resource: { resourceType: 'Patient' }, request: { method: 'GET', url } }],
    }),
  ];
  const answers = await Promise.all(sent);
  expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  expect(knocks).toBe(0);
});

const forms = (of: number) => [
  `http://127.0.0.1:${of}/`,
  `https://127.0.0.1:${of}/`,
  `https://127.1:${of}/`,
  `https://2130706433:${of}/`,
  `https://0x7f000001:${of}/`,
  `https://0177.0.0.1:${of}/`,
  `https://[::1]:${of}/`,
  `https://[::ffff:127.0.0.1]:${of}/`,
  `https://[::ffff:7f00:1]:${of}/`,
  `https://[0:0:0:0:0:0:0:1]:${of}/`,
  `https://[64:ff9b::7f00:1]:${of}/`,
  `https://[fe80::1]:${of}/`,
  `https://[fd00:ec2::254]/`,
  'https://169.254.169.254/latest/meta-data/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://192.168.0.1/',
  'https://①②⑦.0.0.1/',
  'file:///etc/passwd',
  'gopher://127.0.0.1/',
  'ftp://127.0.0.1/',
];

it('a Subscription cannot name this machine, the link or a private network, however it is written', async () => {
  for (const endpoint of forms(port)) {
    const { status } = await send('POST', '/fhir/Subscription', {
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'x',
      criteria: 'Patient?',
      channel: { type: 'rest-hook', endpoint, payload: json },
    });
    expect([endpoint, status]).toEqual([endpoint, expect.toSatisfy((code: number) => code >= 400 && code < 500)]);
  }
  await send('POST', '/fhir/Patient', { resourceType: 'Patient' });
  expect(knocks).toBe(0);
});
