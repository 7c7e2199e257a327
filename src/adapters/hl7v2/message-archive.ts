/** Received messages as an operator looks at them: what came, what was answered, and the bytes to send again. */
import type { Database } from '../../db/index.ts';

/** One received message, without its content. */
export interface ReceivedMessage {
  tenant: string;
  /** MSH-3|MSH-4 as received. */
  partner: string;
  /** MSH-10 */
  controlId: string;
  /** MSH-9, e.g. `ORM^O01`. */
  messageType: string;
  at: Date;
  /** AA, AE, AR, or `noted` for an acknowledgement. */
  outcome: string;
  /** Reason of a refusal, French, without patient data. */
  reason?: string;
}

interface Row {
  partner: string;
  control_id: string;
  message_type: string;
  at: Date;
  outcome: string;
  reason: string | null;
}

const listLimit = 200;

/** The newest received messages of a tenant, 200 at most; those of one outcome when it is named. */
export async function listReceived(database: Database, tenant: string, outcome?: string): Promise<ReceivedMessage[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT partner, control_id, message_type, at, outcome, reason FROM hl7v2_message
     WHERE tenant = $1 AND direction = 'in' AND ($2::text IS NULL OR outcome = $2)
     ORDER BY at DESC LIMIT ${listLimit}`,
    [tenant, outcome ?? null],
  );
  return rows.map((row) => ({
    tenant,
    partner: row.partner,
    controlId: row.control_id,
    messageType: row.message_type,
    at: row.at,
    outcome: row.outcome,
    ...(row.reason ? { reason: row.reason } : {}),
  }));
}

/**
 * The octets of the newest message received under that control id from each sender, as they came: control ids are each sender's own.
 * @param partner MSH-3|MSH-4, where one sender is meant.
 */
export async function readReceived(
  database: Database,
  tenant: string,
  controlId: string,
  partner?: string,
): Promise<{ partner: string; raw: Buffer }[]> {
  const { rows } = await database.query<{ partner: string; raw: Buffer }>(
    tenant,
    `SELECT DISTINCT ON (partner) partner, raw FROM hl7v2_message
     WHERE tenant = $1 AND direction = 'in' AND control_id = $2 AND ($3::text IS NULL OR partner = $3)
     ORDER BY partner, at DESC`,
    [tenant, controlId, partner ?? null],
  );
  return rows;
}
