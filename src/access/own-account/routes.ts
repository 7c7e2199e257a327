/** One's own account: the password, the second factors, the recovery codes (docs/access/people.md). */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { answer, answerTooEarly } from '../answer-error.ts';
import { minimumLengthFor } from '../passwords.ts';
import { factorsOf } from '../second-factor/factors.ts';
import { passkeyRequest } from '../second-factor/passkeys.ts';
import {
  assertionBody,
  changePasswordBody,
  codeBody,
  factorBodyLimitBytes,
  newPasswordBody,
  registrationBody,
} from '../second-factor/schemas.ts';
import { sessionCookie } from '../session-cookie.ts';
import { mustHaveFactor } from '../sign-in/duty.ts';
import { passwordLifetimeMs } from '../sign-in/next-step.ts';
import { type Caller, callerOf } from './caller.ts';
import {
  finishPasskey,
  finishTotp,
  passkeyRooms,
  removeFactor,
  renewRecoveryCodes,
  startPasskey,
  startTotp,
} from './factors.ts';
import { withFreshProof } from './fresh.ts';
import { newPasswordProblems, setPassword } from './password-change.ts';
import { isFresh, type ProofResult, provePasskey, provePassword } from './proof.ts';
import { renewSecret } from './sessions.ts';

export async function accountRoutes(app: FastifyInstance, { access }: { access: Access }): Promise<void> {
  const { secure, accountRooms: rooms } = access;
  const limited = { bodyLimit: factorBodyLimitBytes };
  const fresh = (request: FastifyRequest, reply: FastifyReply, work: (caller: Caller) => Promise<unknown>) =>
    withFreshProof(access, request, reply, work);

  app.get('/oauth2/account', async (request) => {
    const { account, session } = await callerOf(access, request);
    const { passwordHash, passwordChangedAt } = account;
    const factors = await factorsOf(rooms.database, account.tenant, account.login);
    return {
      password: passwordHash
        ? {
            changedAt: passwordChangedAt,
            // Demonstration accounts keep theirs.
            ...(passwordChangedAt && !account.demonstration
              ? { expiresAt: new Date(passwordChangedAt.getTime() + passwordLifetimeMs) }
              : {}),
            minimumLength: minimumLengthFor(account.roles),
          }
        : null,
      totp: factors.totp ?? null,
      passkeys: factors.passkeys,
      recoveryCodes: factors.recoveryCodes,
      secondFactorRequired: await mustHaveFactor(rooms, account, rooms.securityClock.now()),
      can: { totp: rooms.sealer !== undefined, passkey: (rooms.sealer && rooms.party()?.id) ?? null },
      fresh: isFresh(session, rooms.securityClock.now()),
    };
  });

  // A proof given again inside the session.
  app.post<{ Body: { password: string } }>(
    '/oauth2/account/proof',
    { schema: newPasswordBody, ...limited },
    async (request, reply) => {
      const caller = await callerOf(access, request);
      const result = await provePassword(rooms, caller.account, caller.origin, request.body.password);
      return proved(reply, caller, result, 'Mot de passe incorrect.');
    },
  );
  app.post('/oauth2/account/proof/passkey/options', limited, async (request) => {
    const { account } = await callerOf(access, request);
    return passkeyRequest(passkeyRooms(rooms), account, rooms.securityClock.now());
  });
  app.post<{ Body: { ticket: string; response: AuthenticationResponseJSON } }>(
    '/oauth2/account/proof/passkey',
    { schema: assertionBody, ...limited },
    async (request, reply) => {
      const caller = await callerOf(access, request);
      const result = await provePasskey(rooms, caller.account, caller.origin, request.body);
      return proved(reply, caller, result, 'Cette clé d’accès n’est pas reconnue.');
    },
  );

  app.post<{ Body: { current: string; password: string } }>(
    '/oauth2/account/password',
    { schema: changePasswordBody, ...limited },
    async (request, reply) => {
      const caller = await callerOf(access, request);
      const { current, password } = request.body;
      const result = await provePassword(rooms, caller.account, caller.origin, current);
      if (result.status !== 'proved') return proved(reply, caller, result, 'Mot de passe actuel incorrect.');
      const problems = await newPasswordProblems(rooms, caller.account, password);
      if (problems.length > 0) return answer(reply, 422, 'password_refused', problems.join(' '));
      await setPassword(rooms, caller, { password, temporary: false, keepSession: caller.session.id });
      return renewed(reply, caller);
    },
  );

  app.post('/oauth2/account/totp', limited, (request, reply) =>
    fresh(request, reply, ({ account }) => startTotp(rooms, account)),
  );
  app.post<{ Body: { code: string } }>(
    '/oauth2/account/totp/confirm',
    { schema: codeBody, ...limited },
    (request, reply) =>
      fresh(request, reply, async (caller) => {
        const factor = await finishTotp(rooms, caller, request.body.code);
        if (!factor) return answer(reply, 422, 'invalid_code', 'Ce code n’est pas valable.');
        return renewed(reply, caller, factor);
      }),
  );
  app.delete('/oauth2/account/totp', (request, reply) =>
    fresh(request, reply, async (caller) => {
      await removeFactor(rooms, caller);
      return renewed(reply, caller);
    }),
  );

  app.post('/oauth2/account/passkeys/options', limited, (request, reply) =>
    fresh(request, reply, ({ account }) => startPasskey(rooms, account)),
  );
  app.post<{ Body: { ticket: string; response: RegistrationResponseJSON; label: string } }>(
    '/oauth2/account/passkeys',
    { schema: registrationBody, ...limited },
    (request, reply) =>
      fresh(request, reply, async (caller) => {
        const factor = await finishPasskey(rooms, caller, request.body);
        if (!factor) return answer(reply, 422, 'invalid_passkey', 'Cette clé d’accès n’a pas pu être enregistrée.');
        return renewed(reply, caller, factor);
      }),
  );
  app.delete<{ Params: { id: string } }>('/oauth2/account/passkeys/:id', (request, reply) =>
    fresh(request, reply, async (caller) => {
      await removeFactor(rooms, caller, request.params.id);
      return renewed(reply, caller);
    }),
  );

  app.post('/oauth2/account/recovery-codes', limited, (request, reply) =>
    fresh(request, reply, async (caller) => ({ recoveryCodes: await renewRecoveryCodes(rooms, caller) })),
  );

  function proved(
    reply: FastifyReply,
    caller: Caller,
    result: ProofResult,
    wrong: string,
  ): Promise<FastifyReply> | FastifyReply {
    if (result.status === 'proved') return renewed(reply, caller);
    if (result.status === 'wrong') return answer(reply, 422, 'wrong_proof', wrong);
    return answerTooEarly(reply, result.retryAfterSeconds);
  }

  /** The session under a new secret: its rights or its proofs changed. */
  async function renewed(reply: FastifyReply, { secret }: Caller, body: object = {}): Promise<FastifyReply> {
    const next = await renewSecret(rooms.database, secret, rooms.securityClock.now());
    rooms.forgetCredentials();
    if (next === undefined) return answer(reply, 401, 'login_required', 'Connectez-vous.');
    return reply.header('set-cookie', sessionCookie(next, secure)).send(body);
  }
}
