/**
 * Sends the trail to a syslog receiver (IHE ATNA): every AuditEvent once it is sealed, then the head of its seal. It goes on after what was
 * last confirmed, so an outage of either side costs nothing; what was sent and not confirmed comes again, under the same event id.
 */
import { hostname } from 'node:os';
import type { AuditEvent } from '@medplum/fhirtypes';
import { type AuditSyslog, createLoop, type Loop } from '../../../config/index.ts';
import type { Database } from '../../../db/index.ts';
import { readContents, sealsAfter } from '../chain/read.ts';
import { rowsIn, type Seal } from '../chain/seal.ts';
import { readPosition, savePosition } from '../export/position.ts';
import { dicomAuditMessage } from './dicom-message.ts';
import { syslogFrame } from './frame.ts';
import { sendMessages } from './send.ts';

/** Seals of one connection. */
const sealsAtOnce = 40;
const everyMs = 5_000;
const longestPauseMs = 5 * 60_000;

export interface ForwardOptions {
  database: Database;
  receiver: AuditSyslog;
  tenants(): Promise<readonly string[]>;
  now(): Date;
  log?: { error(object: object, message: string): void };
}

/**
 * Sends some of what a tenant has to send; nothing while another server does.
 * @returns whether there may be more. @throws Error when it was not confirmed.
 */
export function forwardSome({ database, receiver, now }: ForwardOptions, tenant: string): Promise<boolean> {
  return database.transaction(tenant, async (sql) => {
    const { rows } = await sql.query<{ mine: boolean }>(
      "SELECT pg_try_advisory_xact_lock(hashtext('audit.syslog'), hashtext($1)) AS mine",
      [tenant],
    );
    if (!rows[0]?.mine) return false;
    const after = await readPosition(database, tenant, 'syslog');
    const seals = sealsAfter(database, tenant, after);
    const first = await seals.next();
    if (first.done) return false;
    let last = after;
    await sendMessages(receiver, messages(first.value));
    await savePosition(database, tenant, 'syslog', { number: last, at: now() });
    return last === after + sealsAtOnce;

    async function* messages(one: Seal): AsyncGenerator<Buffer> {
      yield* messagesOf(database, one);
      for (last = one.number; last < after + sealsAtOnce; ) {
        const next = await seals.next();
        if (next.done) return;
        yield* messagesOf(database, next.value);
        last = next.value.number;
      }
    }
  });
}

async function* messagesOf(database: Database, seal: Seal): AsyncGenerator<Buffer> {
  const { tenant, number, digest, previous, key, signature, sealedAt } = seal;
  const host = hostname();
  const ids = rowsIn(seal.manifest).flatMap(({ events }) => events.map(({ id }) => id));
  const contents = await readContents(database, tenant, ids);
  for (const id of ids) {
    const content = contents.get(id);
    // What is missing is the verification's business; the seal that names it goes out all the same.
    if (!content) continue;
    const event = JSON.parse(content) as AuditEvent;
    yield syslogFrame(
      {
        id: 'DICOM+RFC3881',
        severity: event.outcome === undefined || event.outcome === '0' ? 5 : 4,
        at: event.recorded,
        facts: { tenant, event: id, seal: String(number) },
        text: dicomAuditMessage(event),
      },
      host,
    );
  }
  const text = JSON.stringify({ tenant, number, previous, sealedAt, key, digest, signature });
  yield syslogFrame(
    { id: 'AUDIT-SEAL', severity: 5, at: sealedAt, facts: { tenant, seal: String(number) }, text },
    host,
  );
}

export type Forwarding = Pick<Loop, 'stop'>;

export function forwardInBackground(options: ForwardOptions): Forwarding {
  const loop = createLoop({
    everyMs,
    longestMs: longestPauseMs,
    async round(isStopped) {
      // Some of each in turn: a tenant with a long arrear keeps nobody else's entries waiting.
      let behind = await options.tenants();
      while (behind.length > 0 && !isStopped()) {
        const still: string[] = [];
        for (const tenant of behind) if (!isStopped() && (await forwardSome(options, tenant))) still.push(tenant);
        behind = still;
      }
    },
    onFailure: (error) =>
      options.log?.error(
        { error: (error as Error).message },
        'the audit trail could not be sent by syslog; it will be',
      ),
  });
  loop.start();
  return loop;
}
