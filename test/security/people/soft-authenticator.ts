/** An authenticator of our own making that tells the truth or lies, as the test wants (WebAuthn §6.1, §6.5, §7). */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** What it says; the truth is the default. */
export interface Claims {
  origin: string;
  rpId: string;
  userVerified?: boolean;
  counter?: number;
  /** Another id than its own. */
  id?: string;
  type?: 'webauthn.create' | 'webauthn.get';
  /** Attestation of a made-up maker. */
  certificate?: Buffer;
  crossOrigin?: boolean;
}

export interface SoftAuthenticator {
  id: string;
  create(challenge: string, claims: Claims): object;
  get(challenge: string, claims: Claims, userHandle?: string): object;
}

const flagUserPresent = 0x01;
const flagUserVerified = 0x04;
const flagAttestedData = 0x40;

export function softAuthenticator(): SoftAuthenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ownId = randomBytes(32);
  const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64url');

  const clientData = (challenge: string, type: string, { origin, crossOrigin = false }: Claims) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin }));
  const authenticatorData = ({ rpId, userVerified = true, counter = 1 }: Claims, attested?: Buffer) => {
    const flags = flagUserPresent | (userVerified ? flagUserVerified : 0) | (attested ? flagAttestedData : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested ?? Buffer.alloc(0)]);
  };

  return {
    id: base64url(ownId),
    create(challenge, claims) {
      const id = claims.id ? Buffer.from(claims.id, 'base64url') : ownId;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const data = authenticatorData(claims, Buffer.concat([Buffer.alloc(16), length, id, coseKey(publicKey)]));
      const client = clientData(challenge, claims.type ?? 'webauthn.create', claims);
      const statement = claims.certificate
        ? new Map<string, unknown>([
            ['alg', -7],
            ['sig', new Uint8Array(sign('sha256', Buffer.concat([data, sha256(client)]), privateKey))],
            ['x5c', [new Uint8Array(claims.certificate)]],
          ])
        : new Map<string, unknown>();
      const attestation = new Map<string, unknown>([
        ['fmt', claims.certificate ? 'packed' : 'none'],
        ['attStmt', statement],
        ['authData', new Uint8Array(data)],
      ]);
      return credential(base64url(id), {
        clientDataJSON: base64url(client),
        attestationObject: base64url(isoCBOR.encode(attestation as Parameters<typeof isoCBOR.encode>[0])),
      });
    },
    get(challenge, claims, userHandle) {
      const data = authenticatorData(claims);
      const client = clientData(challenge, claims.type ?? 'webauthn.get', claims);
      return credential(claims.id ?? base64url(ownId), {
        clientDataJSON: base64url(client),
        authenticatorData: base64url(data),
        signature: base64url(sign('sha256', Buffer.concat([data, sha256(client)]), privateKey)),
        ...(userHandle ? { userHandle } : {}),
      });
    },
  };
}

function credential(id: string, response: object): object {
  return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
}

/** RFC 9053 §7.1.1: an EC2 key for ES256. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const map = new Map<number, number | Uint8Array>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, new Uint8Array(Buffer.from(x, 'base64url'))],
    [-3, new Uint8Array(Buffer.from(y, 'base64url'))],
  ]);
  return Buffer.from(isoCBOR.encode(map as Parameters<typeof isoCBOR.encode>[0]));
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
