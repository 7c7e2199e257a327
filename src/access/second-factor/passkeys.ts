/**
 * WebAuthn Level 3: passkeys as a second factor, and as the whole sign-in. Both want the authenticator to have verified its user (PIN,
 * finger, face): then one gesture proves what one has and what one is or knows.
 */
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { type Database, platformTenant } from '../../db/index.ts';
import { FhirError } from '../../fhir/index.ts';
import { challengeOf, newChallenge, spendChallenge } from './challenge.ts';
import { announcePasskey } from './factors.ts';
import type { RelyingParty } from './relying-party.ts';
import type { FactorOwner, FactorRooms } from './rooms.ts';

/** More than anybody carries; each costs a look at sign-in. */
const passkeysAtMost = 20;

export interface PasskeyRooms extends FactorRooms {
  party: RelyingParty;
}

interface PasskeyRow {
  credential_id: string;
  login: string;
  public_key: Buffer;
  counter: string;
  transports: string[];
  passkey_handle: Buffer;
}

/** Options for `navigator.credentials.create()`. @throws FhirError 409 when there are too many. */
export async function passkeyCreation(
  { database, sealer, party }: PasskeyRooms,
  owner: FactorOwner & { display: string },
  now: Date,
): Promise<{ options: PublicKeyCredentialCreationOptionsJSON; ticket: string }> {
  const { tenant, login, display } = owner;
  const known = await passkeysOf({ database, sealer }, owner);
  if (known.length >= passkeysAtMost) throw new FhirError(409, 'conflict', 'Too many passkeys');
  const { rows } = await database.query<{ passkey_handle: Buffer }>(
    tenant,
    'SELECT passkey_handle FROM account WHERE tenant = $1 AND login = $2',
    [tenant, login],
  );
  const { challenge, ticket } = newChallenge(sealer, `create/${tenant}/${login}`, now);
  const { generateRegistrationOptions } = await import('@simplewebauthn/server');
  const options = await generateRegistrationOptions({
    rpName: 'Passerelle',
    rpID: party.id,
    userName: login,
    userDisplayName: display,
    userID: new Uint8Array(rows[0]?.passkey_handle ?? []),
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    // What make of key it is matters to nobody here, and the statement would tell.
    attestationType: 'none',
    excludeCredentials: known.map((row) => ({ id: row.credential_id, transports: row.transports })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
  return { options, ticket };
}

/** Keeps a new passkey. @returns false when the answer proves nothing, was given before, or names a passkey that is known. */
export async function keepPasskey(
  rooms: PasskeyRooms,
  owner: FactorOwner,
  answer: { ticket: string; response: RegistrationResponseJSON; label: string },
  now: Date,
): Promise<boolean> {
  const { database, sealer, party } = rooms;
  const { tenant, login } = owner;
  const challenge = challengeOf(sealer, `create/${tenant}/${login}`, answer.ticket, now);
  if (challenge === undefined || (await carriesCertificates(answer.response))) return false;
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const verified = await verifyRegistrationResponse({
    response: answer.response,
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
  }).catch(() => undefined);
  if (!verified?.verified || !(await spendChallenge(database, tenant, challenge, now))) return false;
  const { credential } = verified.registrationInfo;
  if (!(await announcePasskey(database, credential.id, tenant))) return false;
  const { rowCount } = await database.query(
    tenant,
    `INSERT INTO passkey (tenant, credential_id, login, public_key, counter, transports, label, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [
      tenant,
      credential.id,
      login,
      Buffer.from(credential.publicKey),
      credential.counter,
      credential.transports ?? [],
      answer.label,
      now,
    ],
  );
  return rowCount === 1;
}

/** Options for `navigator.credentials.get()`: the passkeys of one account, or whichever the person chooses. */
export async function passkeyRequest(
  { database, sealer, party }: PasskeyRooms,
  owner: FactorOwner | undefined,
  now: Date,
): Promise<{ options: PublicKeyCredentialRequestOptionsJSON; ticket: string }> {
  const { challenge, ticket } = newChallenge(sealer, purposeOf(owner), now);
  const known = owner ? await passkeysOf({ database, sealer }, owner) : [];
  const { generateAuthenticationOptions } = await import('@simplewebauthn/server');
  const options = await generateAuthenticationOptions({
    rpID: party.id,
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    userVerification: 'required',
    // Nobody is named yet: the answer is the same whatever name is in the form.
    ...(owner ? { allowCredentials: known.map((row) => ({ id: row.credential_id, transports: row.transports })) } : {}),
  });
  return { options, ticket };
}

/**
 * Whose passkey answered; undefined when the answer proves nothing: wrong key, origin or host, no user verification, a challenge that
 * is not ours, too old or answered before, or a counter that went back (a copied authenticator).
 * @param owner account that was asked; undefined when it could be anybody's.
 */
export async function provenByPasskey(
  rooms: PasskeyRooms,
  owner: FactorOwner | undefined,
  answer: { ticket: string; response: AuthenticationResponseJSON },
  now: Date,
): Promise<FactorOwner | undefined> {
  const { database, sealer, party } = rooms;
  const { response } = answer;
  const challenge = challengeOf(sealer, purposeOf(owner), answer.ticket, now);
  const tenant = owner?.tenant ?? (await tenantOfPasskey(rooms, response.id));
  if (challenge === undefined || tenant === undefined) return undefined;
  const row = await passkeyNamed(rooms, tenant, response.id);
  if (!row || (owner && row.login !== owner.login)) return undefined;
  const { userHandle } = response.response;
  if (userHandle !== undefined && userHandle !== row.passkey_handle.toString('base64url')) return undefined;
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
    credential: {
      id: row.credential_id,
      publicKey: new Uint8Array(row.public_key),
      counter: Number(row.counter),
      transports: row.transports,
    },
  }).catch(() => undefined);
  if (!verified?.verified || !(await spendChallenge(database, tenant, challenge, now))) return undefined;
  const { rowCount } = await database.query(
    tenant,
    `UPDATE passkey SET counter = $3, used_at = $4
     WHERE tenant = $1 AND credential_id = $2 AND (counter < $3 OR (counter = 0 AND $3 = 0))`,
    [tenant, row.credential_id, verified.authenticationInfo.newCounter, now],
  );
  return rowCount === 1 ? { tenant, login: row.login } : undefined;
}

/** Takes a passkey off. @returns false when the account has none of this id. */
export async function removePasskey(database: Database, { tenant, login }: FactorOwner, id: string): Promise<boolean> {
  const { rowCount } = await database.query(
    tenant,
    'DELETE FROM passkey WHERE tenant = $1 AND login = $2 AND credential_id = $3',
    [tenant, login, id],
  );
  return rowCount === 1;
}

/**
 * Nobody asked for the maker's certificates, so no browser sends them: checking those that somebody else made up would mean fetching
 * revocation lists from wherever they say.
 */
async function carriesCertificates({ response }: RegistrationResponseJSON): Promise<boolean> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  try {
    const attestation = decodeAttestationObject(new Uint8Array(Buffer.from(response.attestationObject, 'base64url')));
    const format = attestation.get('fmt');
    return format !== 'none' && !(format === 'packed' && attestation.get('attStmt').get('x5c') === undefined);
  } catch {
    // What cannot be read carries nothing; the verification refuses it.
    return false;
  }
}

async function passkeysOf({ database }: FactorRooms, { tenant, login }: FactorOwner) {
  const { rows } = await database.query<Pick<PasskeyRow, 'credential_id' | 'transports'>>(
    tenant,
    'SELECT credential_id, transports FROM passkey WHERE tenant = $1 AND login = $2',
    [tenant, login],
  );
  return rows;
}

async function passkeyNamed({ database }: FactorRooms, tenant: string, id: string): Promise<PasskeyRow | undefined> {
  const { rows } = await database.query<PasskeyRow>(
    tenant,
    `SELECT credential_id, passkey.login, public_key, counter, transports, passkey_handle
     FROM passkey JOIN account USING (tenant, login) WHERE passkey.tenant = $1 AND credential_id = $2`,
    [tenant, id],
  );
  return rows[0];
}

async function tenantOfPasskey({ database }: FactorRooms, id: string): Promise<string | undefined> {
  const { rows } = await database.query<{ account_tenant: string }>(
    platformTenant,
    'SELECT account_tenant FROM passkey_directory WHERE tenant = $1 AND credential_id = $2',
    [platformTenant, id],
  );
  return rows[0]?.account_tenant;
}

function purposeOf(owner: FactorOwner | undefined): string {
  return owner ? `prove/${owner.tenant}/${owner.login}` : 'sign-in';
}
