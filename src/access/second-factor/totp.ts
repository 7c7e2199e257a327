/** Codes of an authenticator application (RFC 6238): six digits, SHA-1, thirty seconds, as every application speaks them. */
import { FhirError } from '../../fhir/index.ts';
import type { SecretSealer } from '../own-account/password-history.ts';
import type { FactorOwner, FactorRooms } from './rooms.ts';

const stepSeconds = 30;
/** One step to either side: clocks of telephones differ, and people type slowly. */
const toleranceSeconds = 30;
const codeSyntax = /^\d{6}$/;

/** What an application needs to be told, once. */
export interface TotpEnrolment {
  /** Base32, for typing by hand. */
  secret: string;
  /** `otpauth://totp/…`. */
  uri: string;
  /** The same as a QR code: an SVG document in a `data:` URI. */
  qrCode: string;
}

/**
 * Makes a secret that counts once a code of it was given; one begun before and not confirmed is replaced.
 * @throws FhirError 409 when an application is set up already.
 */
export async function beginTotp(
  { database, sealer }: FactorRooms,
  owner: FactorOwner,
  now: Date,
): Promise<TotpEnrolment> {
  const { tenant, login } = owner;
  const { generateSecret, generateURI } = await import('otplib');
  const secret = generateSecret();
  const { rowCount } = await database.query(
    tenant,
    `INSERT INTO totp_factor (tenant, login, sealed_secret, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant, login) DO UPDATE
     SET sealed_secret = excluded.sealed_secret, created_at = excluded.created_at, last_step = 0
     WHERE totp_factor.confirmed_at IS NULL`,
    [tenant, login, sealer.sealText(totpName(owner), secret), now],
  );
  if (rowCount === 0) throw new FhirError(409, 'conflict', 'An authenticator application is set up already');
  const uri = generateURI({ issuer: 'Passerelle', label: login, secret });
  const { toSVG } = await import('bwip-js/node');
  const svg = toSVG({ bcid: 'qrcode', text: uri, paddingwidth: 4, paddingheight: 4, backgroundcolor: 'ffffff' });
  return { secret, uri, qrCode: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}` };
}

/** Whether the code is the new application's: then it counts from now on. */
export async function confirmTotp(rooms: FactorRooms, owner: FactorOwner, code: string, now: Date): Promise<boolean> {
  const step = await matchingStep(rooms, owner, code, now, false);
  if (step === undefined) return false;
  const { rowCount } = await rooms.database.query(
    owner.tenant,
    `UPDATE totp_factor SET confirmed_at = $3, last_step = $4
     WHERE tenant = $1 AND login = $2 AND confirmed_at IS NULL`,
    [owner.tenant, owner.login, now, step],
  );
  return rowCount === 1;
}

/** Whether the code is right and new: a step is spent by the first code accepted of it, also among requests sent at once. */
export async function verifyTotp(rooms: FactorRooms, owner: FactorOwner, code: string, now: Date): Promise<boolean> {
  const step = await matchingStep(rooms, owner, code, now, true);
  if (step === undefined) return false;
  const { rowCount } = await rooms.database.query(
    owner.tenant,
    `UPDATE totp_factor SET last_step = $3
     WHERE tenant = $1 AND login = $2 AND confirmed_at IS NOT NULL AND last_step < $3`,
    [owner.tenant, owner.login, step],
  );
  return rowCount === 1;
}

/** The time step whose code this is, among those near `now`. */
async function matchingStep(
  { database, sealer }: FactorRooms,
  owner: FactorOwner,
  code: string,
  now: Date,
  confirmed: boolean,
): Promise<number | undefined> {
  if (!codeSyntax.test(code)) return undefined;
  const { rows } = await database.query<{ sealed_secret: string }>(
    owner.tenant,
    'SELECT sealed_secret FROM totp_factor WHERE tenant = $1 AND login = $2 AND (confirmed_at IS NOT NULL) = $3',
    [owner.tenant, owner.login, confirmed],
  );
  const sealed = rows[0]?.sealed_secret;
  if (sealed === undefined) return undefined;
  const { verifySync } = await import('otplib');
  const epoch = Math.floor(now.getTime() / 1000);
  const result = verifySync({
    secret: opened(sealer, owner, sealed),
    token: code,
    epoch,
    period: stepSeconds,
    epochTolerance: toleranceSeconds,
  });
  return result.valid ? Math.floor(epoch / stepSeconds) + result.delta : undefined;
}

function opened(sealer: SecretSealer, owner: FactorOwner, sealed: string): string {
  return sealer.openText(totpName(owner), sealed);
}

/** What a sealed secret is bound to. */
export function totpName({ tenant, login }: FactorOwner): string {
  return `totp/${tenant}/${login}`;
}
