/**
 * Challenges of WebAuthn (§13.4.3): random, short-lived, answered once. The server keeps none: what it asked goes along with the
 * question, sealed, so that whoever is not signed in cannot fill a table with them. Only answered ones are noted, until they expire.
 */
import { hash, randomBytes } from 'node:crypto';
import type { Database } from '../../db/index.ts';
import type { SecretSealer } from '../own-account/password-history.ts';

const challengeBytes = 32;
const lifetimeMs = 5 * 60_000;

export interface Challenge {
  /** base64url. */
  challenge: string;
  /** To be sent back with the answer. */
  ticket: string;
}

/** @param purpose what it is for and whom it was asked: a ticket opens under the same one only. */
export function newChallenge(sealer: SecretSealer, purpose: string, now: Date): Challenge {
  const challenge = randomBytes(challengeBytes).toString('base64url');
  const content = JSON.stringify({ challenge, until: now.getTime() + lifetimeMs });
  return { challenge, ticket: sealer.sealText(nameOf(purpose), content) };
}

/** The challenge of a ticket; undefined when it is not ours, for something else, or too old. */
export function challengeOf(sealer: SecretSealer, purpose: string, ticket: string, now: Date): string | undefined {
  try {
    const { challenge, until } = JSON.parse(sealer.openText(nameOf(purpose), ticket)) as {
      challenge: string;
      until: number;
    };
    return now.getTime() < until ? challenge : undefined;
  } catch {
    return undefined;
  }
}

/** Notes that a challenge was answered. @returns false when it had been before. */
export async function spendChallenge(
  database: Database,
  tenant: string,
  challenge: string,
  now: Date,
): Promise<boolean> {
  return database.transaction(tenant, async (sql) => {
    await sql.query('DELETE FROM spent_challenge WHERE tenant = $1 AND expires_at < $2', [tenant, now]);
    const { rowCount } = await sql.query(
      `INSERT INTO spent_challenge (tenant, challenge_hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [tenant, hash('sha256', challenge, 'buffer'), new Date(now.getTime() + lifetimeMs)],
    );
    return rowCount === 1;
  });
}

function nameOf(purpose: string): string {
  return `webauthn/${purpose}`;
}
