import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { DOMParser } from '@xmldom/xmldom';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPosition } from '../../../src/access/audit/export/position.ts';
import { dicomAuditMessage } from '../../../src/access/audit/syslog/dicom-message.ts';
import { forwardSome } from '../../../src/access/audit/syslog/forward.ts';
import { syslogFrame } from '../../../src/access/audit/syslog/frame.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { openTrail, type TrailRig } from '../../security/audit/trail.ts';

let rig: TrailRig;
beforeAll(async () => {
  rig = await openTrail();
});
afterAll(() => rig.close());

/** A syslog receiver over TLS that keeps what it reads; `break after` so many messages of a connection. */
async function openReceiver() {
  const identity = selfSigned(['localhost'], ['127.0.0.1']);
  const messages: string[] = [];
  let breakAfter = Number.POSITIVE_INFINITY;
  const serve = (socket: TLSSocket) => {
    let rest = Buffer.alloc(0);
    let count = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const space = rest.indexOf(' ');
        const length = Number(rest.subarray(0, Math.max(space, 0)).toString());
        if (space < 1 || rest.length < space + 1 + length) return;
        if (++count > breakAfter) return void socket.destroy();
        messages.push(rest.subarray(space + 1, space + 1 + length).toString());
        rest = rest.subarray(space + 1 + length);
      }
    });
  };
  const server: Server = createServer(identity, serve);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    messages,
    receiver: { host: '127.0.0.1', port, ca: identity.cert, identity: undefined },
    breakAfter: (count: number) => {
      breakAfter = count;
    },
    close: () => server.close(),
  };
}

const eventOf = (message: string) => / event="([^"]+)"/.exec(message)?.[1];

test('every event reaches the receiver, whatever happens to the connection, and each is a DICOM audit message', async () => {
  const { messages, receiver, breakAfter, close } = await openReceiver();
  const options = { database: rig.database, receiver, tenants: async () => ['aa'], now: () => rig.clock.now() };
  for (let seal = 0; seal < 5; seal++) {
    for (let n = 0; n < 4; n++) await rig.read();
    await rig.seal();
  }
  breakAfter(9);
  await expect(forwardSome(options, 'aa')).rejects.toThrow();
  await expect(forwardSome({ ...options, receiver: { ...receiver, ca: undefined } }, 'aa')).rejects.toThrow(
    'self-signed',
  );
  expect(await readPosition(rig.database, 'aa', 'syslog')).toBe(0);

  breakAfter(Number.POSITIVE_INFINITY);
  expect(await forwardSome(options, 'aa')).toBe(false);
  expect(await readPosition(rig.database, 'aa', 'syslog')).toBe(5);
  const events = await rig.store.search('aa', 'AuditEvent', '_count=100');
  const received = new Set(messages.flatMap((message) => eventOf(message) ?? []));
  expect([...received].sort()).toEqual(events.map(({ id }) => id).sort());
  expect(messages.filter((message) => message.includes(' AUDIT-SEAL '))).toHaveLength(5 + 1);

  const [first] = messages;
  expect(first).toMatch(
    /^<85>1 2026-03-01T08:00:00\.000Z \S+ passerelle \d+ DICOM\+RFC3881 \[audit@32473 tenant="aa" event="[^"]+" seal="1"\] \ufeff<\?xml/,
  );
  const document = new DOMParser().parseFromString(first!.slice(first!.indexOf('<?xml')), 'text/xml');
  expect(document.documentElement?.tagName).toBe('AuditMessage');

  // Only what came after is sent the next time.
  messages.length = 0;
  await rig.read();
  await rig.seal();
  await forwardSome(options, 'aa');
  expect(messages).toHaveLength(2);
  expect(await forwardSome(options, 'aa')).toBe(false);
  close();
});

test('an audit message says who, from where, what was done, with which outcome, about whom and what', async () => {
  await rig.trail.auditRead(
    { ...rig.context('search-type'), network: '2001:db8::7' },
    {
      resources: [{ resourceType: 'Patient', id: 'p<1>' }],
      query: 'Patient?name=A&B',
      outcome: 'failed',
    },
  );
  const [event] = await rig.store.search('aa', 'AuditEvent', 'subtype=search-type');
  const xml = dicomAuditMessage(event!);
  for (const part of [
    `<EventIdentification EventActionCode="E" EventDateTime="${rig.clock.now().toISOString()}" EventOutcomeIndicator="4">`,
    '<EventTypeCode csd-code="search-type" codeSystemName="restful-interaction" originalText="search-type"/>',
    'UserID="Practitioner/noa" AlternativeUserID="noa" UserName="Dr NOA TEST" UserIsRequestor="true"',
    'NetworkAccessPointID="2001:db8::7" NetworkAccessPointTypeCode="2"',
    '<AuditSourceIdentification AuditEnterpriseSiteID="http://passerelle.test" AuditSourceID="Device/passerelle" code="4"/>',
    'ParticipantObjectID="Patient/p&#60;1&#62;" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"',
    `<ParticipantObjectQuery>${Buffer.from('Patient?name=A&B').toString('base64')}</ParticipantObjectQuery>`,
  ])
    expect(xml).toContain(part);
});

test('whatever an event says, its message is well-formed XML in a frame of the right length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (name, detail) => {
      const xml = dicomAuditMessage({
        resourceType: 'AuditEvent',
        type: { code: name, display: detail },
        recorded: '2026-03-01T08:00:00Z',
        outcomeDesc: detail,
        agent: [{ requestor: true, who: { display: name }, altId: detail }],
        source: { observer: { display: detail }, site: name },
        entity: [{ name, detail: [{ type: name, valueString: detail }] }],
      });
      const errors: string[] = [];
      const parser = new DOMParser({ onError: (level, message) => void (level === 'warning' || errors.push(message)) });
      const document = parser.parseFromString(xml, 'text/xml');
      expect(errors).toEqual([]);
      const expected = detail.toWellFormed();
      if (!/[\p{Cc}\u2028\ufffe\uffff]/u.test(expected))
        expect(document.getElementsByTagName('EventID')[0]!.getAttribute('originalText')).toBe(expected);
      const frame = syslogFrame(
        { id: 'X', severity: 5, at: '2026-03-01T08:00:00Z', facts: { name: 'a"]\\' }, text: xml },
        name,
      );
      const space = frame.indexOf(' ');
      expect(Number(frame.subarray(0, space).toString())).toBe(frame.length - space - 1);
    }),
    { numRuns: 200 },
  );
});
