/** What the routes of a half-done sign-in read from a request: its pending cookie, the step it stands at, and who it is about. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import type { Doing } from '../own-account/rooms.ts';
import { refuseForeignPages } from '../request-origin.ts';
import { readPendingCookie } from '../session-cookie.ts';
import { answerSignIn, originOf } from './answer.ts';
import { signInContext } from './complete.ts';
import type { Step } from './next-step.ts';
import { type PendingSignIn, pendingSignIn } from './steps.ts';

export interface PendingRequests {
  secretOf(request: FastifyRequest): string | undefined;
  /** The sign-in of the request, when it stands at this step. @throws FhirError 403 when no page of ours asks. */
  at(step: Step, request: FastifyRequest): Promise<PendingSignIn | undefined>;
  /** There is none, or it stands elsewhere: begin again. */
  over(reply: FastifyReply): FastifyReply;
  /** Who does it to which account, for the trail. */
  doing(request: FastifyRequest, begun: PendingSignIn): Doing;
}

export function pendingRequests(access: Access): PendingRequests {
  const { secure, accountRooms } = access;
  const secretOf = (request: FastifyRequest) => readPendingCookie(request.headers.cookie, secure);
  return {
    secretOf,
    async at(step, request) {
      refuseForeignPages(request, access.origin());
      const begun = await pendingSignIn(accountRooms, secretOf(request));
      return begun?.step === step ? begun : undefined;
    },
    over: (reply) => answerSignIn(reply, { status: 'over' }, secure),
    doing: (request, { account }) => ({ account, context: signInContext(accountRooms, originOf(request), account) }),
  };
}
