/** Table hl7v2_message: every message byte for byte, its outcome, and what makes a repetition recognisable (design §5 rule 1). */
import { createHash } from 'node:crypto';
import type { Sql } from '../../db/index.ts';

/** A message as received, before anything is known of its fate. */
export interface Reception {
  tenant: string;
  /** MSH-3|MSH-4 */
  partner: string;
  controlId: string;
  messageType: string;
  raw: Buffer;
  sha256: Buffer;
  at: Date;
  network: string;
  warnings: readonly string[];
}

/** What became of it. */
export interface Fate {
  outcome: 'AA' | 'AE' | 'AR' | 'noted';
  answer: Buffer | undefined;
  reason?: string;
  focus?: string;
  /** Fingerprint of the tables that decided. */
  rules: string;
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** What we hold under a control id of a partner. */
export interface Earlier {
  /** Answer of the same octets, already taken in charge. */
  accepted: Buffer | undefined;
  /** Other octets came under this control id. */
  otherOctets: boolean;
}

export async function findEarlier(sql: Sql, reception: Reception): Promise<Earlier> {
  const { rows } = await sql.query<{ sha256: Buffer; outcome: string; answer: Buffer | null }>({
    name: 'hl7v2_earlier',
    text: `SELECT sha256, outcome, answer FROM hl7v2_message
           WHERE tenant = $1 AND direction = 'in' AND partner = $2 AND control_id = $3`,
    values: [reception.tenant, reception.partner, reception.controlId],
  });
  const same = rows.find((row) => row.sha256.equals(reception.sha256));
  return {
    accepted: same?.outcome === 'AA' ? (same.answer ?? undefined) : undefined,
    otherOctets: rows.some((row) => !row.sha256.equals(reception.sha256)),
  };
}

/** Stores a message with its fate; one that was refused before and comes again takes its new fate. */
export async function insertReception(sql: Sql, reception: Reception, fate: Fate): Promise<void> {
  await sql.query({
    name: 'hl7v2_insert',
    text: `${insertText} ${takeNewFate}`,
    values: insertValues(reception, fate),
  });
}

/**
 * Stores a refused message. The answer to give is returned: the one given before when these octets were accepted, or refused for
 * their content under the same tables. A refusal for circumstances (AR) is decided anew each time: resending is its purpose.
 */
export async function insertRefusal(sql: Sql, reception: Reception, fate: Fate): Promise<Buffer | undefined> {
  const { rows } = await sql.query<{ answer: Buffer | null }>({
    name: 'hl7v2_refuse',
    text: `${insertText}
      ON CONFLICT (tenant, direction, partner, control_id, sha256) DO UPDATE SET
        attempts = hl7v2_message.attempts + 1,
        at = CASE WHEN ${keepsFate} THEN hl7v2_message.at ELSE excluded.at END,
        answer = CASE WHEN ${keepsFate} THEN hl7v2_message.answer ELSE excluded.answer END,
        reason = CASE WHEN ${keepsFate} THEN hl7v2_message.reason ELSE excluded.reason END,
        rules = CASE WHEN ${keepsFate} THEN hl7v2_message.rules ELSE excluded.rules END,
        outcome = CASE WHEN ${keepsFate} THEN hl7v2_message.outcome ELSE excluded.outcome END
      RETURNING answer`,
    values: insertValues(reception, fate),
  });
  return rows[0]?.answer ?? undefined;
}

/** Counts a repetition of an accepted message. */
export async function countRepetition(sql: Sql, reception: Reception): Promise<void> {
  await sql.query({
    name: 'hl7v2_repeat',
    text: `UPDATE hl7v2_message SET attempts = attempts + 1
           WHERE tenant = $1 AND direction = 'in' AND partner = $2 AND control_id = $3 AND sha256 = $4`,
    values: [reception.tenant, reception.partner, reception.controlId, reception.sha256],
  });
}

/** A message of ours, prepared once and sent as often as needed. */
export interface Outgoing {
  raw: Buffer;
  messageType: string;
  /** Acknowledgement already received. */
  answer: Buffer | undefined;
  /** The other side refused it for its content (AE, CE): these octets will never pass. */
  refused: boolean;
}

/** A message refused for its content is written anew under its control id: the last one written is the one that counts. */
const newestFirst = `ORDER BY at DESC, outcome = 'prepared' DESC LIMIT 1`;

export async function findOutgoing(
  sql: Sql,
  tenant: string,
  partner: string,
  controlId: string,
): Promise<Outgoing | undefined> {
  const { rows } = await sql.query<{ raw: Buffer; message_type: string; answer: Buffer | null; outcome: string }>(
    `SELECT raw, message_type, answer, outcome FROM hl7v2_message
     WHERE tenant = $1 AND direction = 'out' AND partner = $2 AND control_id = $3 ${newestFirst}`,
    [tenant, partner, controlId],
  );
  const row = rows[0];
  const refused = row?.outcome === 'AE' || row?.outcome === 'CE';
  return row && { raw: row.raw, messageType: row.message_type, answer: row.answer ?? undefined, refused };
}

/** Keeps a message of ours before it leaves; the same octets under the same control id are the same message. */
export async function insertOutgoing(
  sql: Sql,
  message: {
    tenant: string;
    partner: string;
    controlId: string;
    messageType: string;
    raw: Buffer;
    at: Date;
    focus: string;
  },
): Promise<void> {
  await sql.query(
    `INSERT INTO hl7v2_message (tenant, direction, partner, control_id, sha256, message_type, at, raw, outcome, focus, unanswered)
     VALUES ($1, 'out', $2, $3, $4, $5, $6, $7, 'prepared', $8, 0)
     ON CONFLICT DO NOTHING`,
    [
      message.tenant,
      message.partner,
      message.controlId,
      sha256(message.raw),
      message.messageType,
      message.at,
      message.raw,
      message.focus,
    ],
  );
}

/** Counts that a message of ours leaves now. Committed before its first octet: whatever happens next, it may have arrived. */
export async function countSending(sql: Sql, tenant: string, partner: string, controlId: string): Promise<void> {
  await sql.query(
    `UPDATE hl7v2_message SET unanswered = coalesce(unanswered, (outcome = 'prepared')::integer) + 1
     WHERE tenant = $1 AND direction = 'out' AND partner = $2 AND control_id = $3 AND sha256 = (
       SELECT sha256 FROM hl7v2_message
       WHERE tenant = $1 AND direction = 'out' AND partner = $2 AND control_id = $3 ${newestFirst})`,
    [tenant, partner, controlId],
  );
}

/** Whether the other side may have taken a message of ours: it left, and not every sending was refused. */
export async function mayHaveArrived(sql: Sql, tenant: string, partner: string, controlId: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `SELECT FROM hl7v2_message
     WHERE tenant = $1 AND direction = 'out' AND partner = $2 AND control_id = $3
       AND (outcome IN ('AA', 'CA') OR coalesce(unanswered, (outcome = 'prepared')::integer) > 0)
     LIMIT 1`,
    [tenant, partner, controlId],
  );
  return (rowCount ?? 0) > 0;
}

/**
 * Keeps the acknowledgement of a message of ours, found by MSA-2 alone among those that went to who acknowledges: nobody answers for another
 * establishment. One that took it in charge is not replaced.
 * @returns whether we sent such a message.
 */
export async function recordAnswer(
  sql: Sql,
  tenant: string,
  partner: string,
  controlId: string,
  outcome: string,
  answer: Buffer,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE hl7v2_message SET
       unanswered = CASE WHEN $3 IN ('AE', 'AR', 'CE', 'CR') THEN greatest(unanswered - 1, 0) ELSE unanswered END,
       answer = CASE WHEN outcome IN ('AA', 'CA') THEN answer ELSE $4 END,
       outcome = CASE WHEN outcome IN ('AA', 'CA') THEN outcome ELSE $3 END
     WHERE tenant = $1 AND direction = 'out' AND partner = $5 AND control_id = $2 AND sha256 = (
       SELECT sha256 FROM hl7v2_message
       WHERE tenant = $1 AND direction = 'out' AND partner = $5 AND control_id = $2 ${newestFirst})`,
    [tenant, controlId, outcome, answer, partner],
  );
  return (rowCount ?? 0) > 0;
}

const insertText = `INSERT INTO hl7v2_message
  (tenant, direction, partner, control_id, sha256, message_type, at, network, raw, answer, outcome, reason, warnings, rules, focus)
  VALUES ($1, 'in', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`;

const takeNewFate = `ON CONFLICT (tenant, direction, partner, control_id, sha256) DO UPDATE SET
  attempts = hl7v2_message.attempts + 1, at = excluded.at, answer = excluded.answer, outcome = excluded.outcome,
  reason = excluded.reason, warnings = excluded.warnings, rules = excluded.rules, focus = excluded.focus`;

const keepsFate = `(hl7v2_message.outcome = 'AA'
  OR (hl7v2_message.outcome = 'AE' AND excluded.outcome = 'AE' AND hl7v2_message.rules = excluded.rules
      AND hl7v2_message.reason = excluded.reason))`;

function insertValues(reception: Reception, fate: Fate): unknown[] {
  return [
    reception.tenant,
    reception.partner,
    reception.controlId,
    reception.sha256,
    reception.messageType,
    reception.at,
    reception.network,
    reception.raw,
    fate.answer ?? null,
    fate.outcome,
    fate.reason ?? null,
    reception.warnings,
    fate.rules,
    fate.focus ?? null,
  ];
}
