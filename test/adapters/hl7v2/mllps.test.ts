import { generateKeyPairSync } from 'node:crypto';
import { KJUR } from 'jsrsasign';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Mllp, MllpError, sendMessage } from '../../../src/adapters/hl7v2/index.ts';
import { render, request } from '../../fixtures/hl7v2/messages.ts';
import { listen, openHospital, segment } from './hospital.ts';
import { recordingTeleradiology } from './recording-teleradiology.ts';

/** A certificate of this test's own for `localhost`. */
function certificate(): { cert: string; key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const parameters = {
    version: 3,
    serial: { int: 1 },
    issuer: { str: '/CN=localhost' },
    notbefore: '20250101000000Z',
    notafter: '20491231235959Z',
    subject: { str: '/CN=localhost' },
    sbjpubkey: publicKey,
    ext: [{ extname: 'subjectAltName', array: [{ dns: 'localhost' }] }],
    sigalg: 'SHA256withECDSA',
    cakey: privateKey,
  };
  return { cert: new KJUR.asn1.x509.Certificate(parameters).getPEM(), key: privateKey };
}

const tls = certificate();
let rooms: Awaited<ReturnType<typeof openHospital>>;
let mllp: Mllp;

beforeAll(async () => {
  rooms = await openHospital();
  mllp = await listen(rooms, recordingTeleradiology(), { tls: { options: () => tls, follow: () => undefined } });
});
afterAll(async () => {
  await mllp.close();
  await rooms.database.close();
});

it('messages pass over MLLPS, with the server known by its certificate', async () => {
  const address = { host: '127.0.0.1', port: mllp.port, tls: { ca: tls.cert, servername: 'localhost' } };
  const answer = await sendMessage(address, Buffer.from(render(request())));
  expect(segment(answer, 'MSA')[1]).toBe('AA');
});

it('a client that does not know the certificate does not send, and one without TLS is not understood', async () => {
  const message = Buffer.from(render(request({ controlId: 'TLS2' })));
  const unknown = { host: '127.0.0.1', port: mllp.port, tls: { servername: 'localhost' } };
  await expect(sendMessage(unknown, message)).rejects.toThrow(MllpError);
  await expect(sendMessage({ host: '127.0.0.1', port: mllp.port, answerMs: 2_000 }, message)).rejects.toThrow(
    MllpError,
  );
});
