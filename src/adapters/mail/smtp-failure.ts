/** What an error of the mail server means for a message (RFC 5321 4.2.1): a mailbox that will never take it, or anything else, to be tried again. */
import type { DeliveryResult } from '../../delivery/index.ts';

/** Replies that are about the recipient or the message and will be the same tomorrow; others of class 5 are about us (account, TLS, relay). */
const finalReplies: readonly number[] = [550, 551, 552, 553, 554, 556];

/** The reason names codes only: the text of a reply may repeat the address. */
export function smtpFailure(error: unknown): DeliveryResult {
  const { responseCode, code, command } = error as { responseCode?: number; code?: string; command?: string };
  const isOfMessage = command === 'RCPT TO' || command === 'DATA';
  const reason = `the mail server did not take the message (${responseCode ?? code ?? 'unknown'})`;
  if (isOfMessage && responseCode !== undefined && finalReplies.includes(responseCode))
    return { status: 'failed', reason };
  return { status: 'retry', reason };
}
