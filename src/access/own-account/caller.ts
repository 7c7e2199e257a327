/** Whose account a request of the account pages is about: the person of the session it came with, and nobody by a token. */
import type { FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { findAccount } from '../accounts.ts';
import { refusal } from '../refusals.ts';
import { originOf } from '../sign-in/answer.ts';
import type { SignInOrigin } from '../sign-in/complete.ts';
import type { Doing } from './rooms.ts';
import { type OwnSession, readOwnSession } from './sessions.ts';

export interface Caller extends Doing {
  session: OwnSession;
  /** Secret of the session. */
  secret: string;
  origin: SignInOrigin;
}

/** @throws FhirError 401 without a session, 403 with a token or from a page of another site; that is in the trail by then. */
export async function callerOf(access: Access, request: FastifyRequest): Promise<Caller> {
  const { accountRooms: rooms } = access;
  const identified = await access.authenticate(request);
  const secret = access.sessionSecret(request);
  const session = secret === undefined ? undefined : await readOwnSession(rooms.database, secret);
  const account = session && (await findAccount(rooms.database, session.login));
  const origin = originOf(request);
  const { tenant, actor } = identified;
  const context = {
    ...{ tenant, actor, interaction: 'account' },
    ...{ requestId: origin.requestId, network: origin.network, now: () => rooms.clock.now() },
  };
  if (secret === undefined || !session || account?.tenant !== session.tenant) {
    await rooms.trail.refused(context, { interaction: 'account' });
    throw refusal(403, 'forbidden', {
      diagnostics: 'Only the session of a person reaches its account',
      text: 'Ces pages sont réservées à la session d’une personne.',
    });
  }
  return { session, secret, account, context, origin };
}
