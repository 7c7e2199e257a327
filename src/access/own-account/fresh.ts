/** What wants a proof of the last ten minutes: a session left open on a desk must not become somebody else's account. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { answer } from '../answer-error.ts';
import { type Caller, callerOf } from './caller.ts';
import { isFresh } from './proof.ts';

/** Does the work when the session has a fresh proof; else answers 403 `proof_required`. */
export async function withFreshProof(
  access: Access,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (caller: Caller) => Promise<unknown>,
): Promise<unknown> {
  const caller = await callerOf(access, request);
  if (isFresh(caller.session, access.accountRooms.securityClock.now())) return work(caller);
  return answer(reply, 403, 'proof_required', 'Confirmez d’abord que c’est bien vous.');
}
