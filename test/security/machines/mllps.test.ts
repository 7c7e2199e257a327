import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccess, createNodes } from '../../../src/access/index.ts';
import { setClientDisabled, storeClient } from '../../../src/access/smart/registration.ts';
import { type Mllp, sendMessage } from '../../../src/adapters/hl7v2/index.ts';
import { systemClock } from '../../../src/config/index.ts';
import type { createFhirStore } from '../../../src/fhir/index.ts';
import { establishment, listen, openHospital, segment } from '../../adapters/hl7v2/hospital.ts';
import { recordingTeleradiology } from '../../adapters/hl7v2/recording-teleradiology.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { render, request } from '../../fixtures/hl7v2/messages.ts';
import { type Pair, signedByItself } from './certificates.ts';

const own = signedByItself('ris-own');
const clinic = signedByItself('ris-clinic');
const abroad = signedByItself('ris-abroad');
const unknown = signedByItself('ris-unknown');
const tls = selfSigned(['localhost']);
let rooms: Awaited<ReturnType<typeof openHospital>> & { store: Awaited<ReturnType<typeof createFhirStore>> };
let optional: Mllp;
let required: Mllp;
let plain: Mllp;
beforeAll(async () => {
  rooms = (await openHospital()) as typeof rooms;
  const { database, store } = rooms;
  const access = await createAccess({ database, store, clock: systemClock, secure: false, auditKeys: undefined });
  const registry = { database, now: new Date(), keyHosts: [], parametersOf: store.searchParameters };
  for (const { id, tenant = 'aa', organizationId, pair } of [
    { id: 'own', organizationId: establishment, pair: own },
    { id: 'clinic', organizationId: 'clinic', pair: clinic },
    { id: 'abroad', tenant: 'bb', organizationId: establishment, pair: abroad },
  ]) {
    await storeClient(registry, {
      ...{ tenant, id, kind: 'backend', display: id, organizationId },
      ...{ scopes: ['system/Task.rs'], redirectUris: [], certificates: [pair.fingerprint] },
    });
  }
  const start = (isRequired: boolean) =>
    listen(rooms, recordingTeleradiology(), {
      tls: { options: () => tls, follow: () => undefined },
      nodes: createNodes({
        ...{ database, recordActivity: access.recordActivity, required: isRequired },
        now: () => new Date(),
        realNow: () => new Date(),
      }),
    });
  [optional, required] = await Promise.all([start(false), start(true)]);
  plain = await listen(rooms, recordingTeleradiology());
});
afterAll(async () => {
  await Promise.all([optional.close(), required.close(), plain.close()]);
  await rooms.database.close();
});

let sent = 0;

async function send(to: Mllp, pair?: Pair): Promise<string[]> {
  const client = pair ? { cert: pair.cert, key: pair.key } : {};
  const address = { host: '127.0.0.1', port: to.port, tls: { ca: tls.cert, servername: 'localhost', ...client } };
  const message = render(request()).replace(/^(MSH(?:\|[^|\r]*){8}\|)[^|\r]*/, `$1TLS-${++sent}`);
  return segment(
    await sendMessage(to === plain ? { host: '127.0.0.1', port: to.port } : address, Buffer.from(message)),
    'MSA',
  );
}

const refusals = () => rooms.store.search('aa', 'AuditEvent', 'subtype=110126&_count=100');

test('a sender whose connection shows the certificate of its establishment is heard', async () => {
  expect((await send(optional, own))[1]).toBe('AA');
  expect((await send(required, own))[1]).toBe('AA');
});

test('a certificate of another establishment, or of the same one in another tenant, is answered AR, and told', async () => {
  const before = (await refusals()).length;
  for (const [to, pair] of [
    [optional, clinic],
    [required, clinic],
    [optional, abroad],
    [required, abroad],
  ] as const) {
    const msa = await send(to, pair);
    expect(msa[1]).toBe('AR');
  }
  const told = await refusals();
  expect(told.length).toBe(before + 4);
  expect(told.map(({ outcome }) => outcome)).toEqual(told.map(() => '8'));
  expect(JSON.stringify(told)).toContain('is of another establishment');
  expect(JSON.stringify(told)).toContain(`Organization/${establishment}`);
});

test('where a certificate is required, none and one nobody registered are refused; elsewhere they say nothing', async () => {
  expect((await send(required))[1]).toBe('AR');
  expect((await send(required, unknown))[1]).toBe('AR');
  expect((await send(optional))[1]).toBe('AA');
  expect((await send(optional, unknown))[1]).toBe('AA');
  expect((await send(plain))[1]).toBe('AA');
});

test('a client that is shut off is not heard, even where a certificate is optional', async () => {
  await setClientDisabled(rooms.database, 'own', true, new Date());
  expect((await send(optional, own))[1]).toBe('AR');
  expect((await send(required, own))[1]).toBe('AR');
  await setClientDisabled(rooms.database, 'own', false, new Date());
  expect((await send(optional, own))[1]).toBe('AA');
});

test('an acknowledgement over somebody else’s certificate acknowledges nothing', async () => {
  const ack = ['MSH|^~\\&|RIS-TEST|CH-TEST|PASSERELLE|PASSERELLE|20260101||ACK|FORGED-1|P|2.5', 'MSA|AA|1'].join('\r');
  const client = { cert: clinic.cert, key: clinic.key, ca: tls.cert, servername: 'localhost' };
  const address = { host: '127.0.0.1', port: optional.port, tls: client };
  await sendMessage({ ...address, answerMs: 300 } as typeof address, Buffer.from(ack)).catch(() => undefined);
  const { rows } = await rooms.database.query(
    'aa',
    `SELECT FROM hl7v2_message WHERE tenant = 'aa' AND control_id = 'FORGED-1'`,
  );
  expect(rows).toHaveLength(0);
});
