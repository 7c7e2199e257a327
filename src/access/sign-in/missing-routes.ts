/** What a sign-in may find missing: a second factor where the role demands one, and a password of one's own that is not too old. */
import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { answer } from '../answer-error.ts';
import { type FactorAdded, finishPasskey, finishTotp, startPasskey, startTotp } from '../own-account/factors.ts';
import { newPasswordProblems, setPassword } from '../own-account/password-change.ts';
import type { Doing } from '../own-account/rooms.ts';
import { codeBody, factorBodyLimitBytes, newPasswordBody, registrationBody } from '../second-factor/schemas.ts';
import { answerSignIn, originOf } from './answer.ts';
import type { Proof } from './next-step.ts';
import { closePending } from './pending.ts';
import { pendingRequests } from './pending-request.ts';
import { goOn, resume } from './steps.ts';

export async function missingRoutes(app: FastifyInstance, { access }: { access: Access }): Promise<void> {
  const { secure, accountRooms: rooms } = access;
  const { at, over, doing } = pendingRequests(access);
  const limited = { bodyLimit: factorBodyLimitBytes };

  app.post('/oauth2/sign-in/enrol/totp', limited, async (request, reply) => {
    const begun = await at('enrol', request);
    return begun ? startTotp(rooms, begun.account) : over(reply);
  });
  app.post<{ Body: { code: string } }>(
    '/oauth2/sign-in/enrol/totp/confirm',
    { schema: codeBody, ...limited },
    (request, reply) => enrol(request, reply, 'totp', (acting) => finishTotp(rooms, acting, request.body.code)),
  );
  app.post('/oauth2/sign-in/enrol/passkey/options', limited, async (request, reply) => {
    const begun = await at('enrol', request);
    return begun ? startPasskey(rooms, begun.account) : over(reply);
  });
  app.post<{ Body: { ticket: string; response: RegistrationResponseJSON; label: string } }>(
    '/oauth2/sign-in/enrol/passkey',
    { schema: registrationBody, ...limited },
    (request, reply) => enrol(request, reply, 'passkey', (acting) => finishPasskey(rooms, acting, request.body)),
  );

  async function enrol(
    request: FastifyRequest,
    reply: FastifyReply,
    proof: Proof,
    finish: (acting: Doing) => Promise<FactorAdded | undefined>,
  ): Promise<FastifyReply> {
    const begun = await at('enrol', request);
    if (!begun) return over(reply);
    const factor = await finish(doing(request, begun));
    if (!factor) return answerSignIn(reply, { status: 'wrong-code' }, secure);
    return answerSignIn(reply, await goOn(rooms, begun, originOf(request), { proof }), secure, factor);
  }

  app.post<{ Body: { password: string } }>(
    '/oauth2/sign-in/password',
    { schema: newPasswordBody, ...limited },
    async (request, reply) => {
      const begun = await at('change-password', request);
      if (!begun) return over(reply);
      const { account } = begun;
      const { password } = request.body;
      const problems = await newPasswordProblems(rooms, account, password);
      if (problems.length > 0) return answer(reply, 422, 'password_refused', problems.join(' '));
      // Closed first, so that only one of two requests with the same secret sets a password.
      if (!(await closePending(rooms.database, begun.secret))) return over(reply);
      await setPassword(rooms, doing(request, begun), { password, temporary: false });
      return answerSignIn(reply, await resume(rooms, begun, originOf(request), {}), secure);
    },
  );
}
