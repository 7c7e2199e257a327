/** The second factor of a sign-in half done, and signing in by a passkey alone. No session is looked at: the pending cookie is all. */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { answer } from '../answer-error.ts';
import { factorRooms, passkeyRooms } from '../own-account/factors.ts';
import { minimumLengthFor } from '../passwords.ts';
import { refuseForeignOrigin, refuseForeignPages } from '../request-origin.ts';
import { passkeyRequest, provenByPasskey } from '../second-factor/passkeys.ts';
import { useRecoveryCode } from '../second-factor/recovery-codes.ts';
import { assertionBody, codeBody, factorBodyLimitBytes } from '../second-factor/schemas.ts';
import { verifyTotp } from '../second-factor/totp.ts';
import { endedPendingCookie } from '../session-cookie.ts';
import { answerSignIn, originOf } from './answer.ts';
import { askForPasskey, signInByPasskey } from './passkey.ts';
import { closePending } from './pending.ts';
import { pendingRequests } from './pending-request.ts';
import { type PendingSignIn, pendingSignIn, proveSecondFactor } from './steps.ts';

type Assertion = { ticket: string; response: AuthenticationResponseJSON };

export async function signInRoutes(app: FastifyInstance, { access }: { access: Access }): Promise<void> {
  const { secure, accountRooms: rooms } = access;
  const { secretOf, at, over } = pendingRequests(access);
  const limited = { bodyLimit: factorBodyLimitBytes };

  app.get('/oauth2/sign-in', async (request) => {
    const begun = await pendingSignIn(rooms, secretOf(request));
    // Every page asks when it opens: that there is none is no error.
    if (!begun?.step) return { step: null };
    const { step, account } = begun;
    return {
      step,
      display: account.display,
      ...(step === 'change-password'
        ? { temporary: account.passwordTemporary, minimumLength: minimumLengthFor(account.roles) }
        : { means: step === 'enrol' ? means({ totp: true, passkey: true }) : meansOf(begun) }),
    };
  });

  app.delete('/oauth2/sign-in', async (request, reply) => {
    refuseForeignPages(request, access.origin());
    const secret = secretOf(request);
    if (secret) await closePending(rooms.database, secret);
    return reply.header('set-cookie', endedPendingCookie(secure)).code(204).send();
  });

  async function prove(request: FastifyRequest, reply: FastifyReply, proof: Parameters<typeof proveSecondFactor>[3]) {
    refuseForeignPages(request, access.origin());
    return answerSignIn(reply, await proveSecondFactor(rooms, secretOf(request), originOf(request), proof), secure);
  }
  app.post<{ Body: { code: string } }>('/oauth2/sign-in/totp', { schema: codeBody, ...limited }, (request, reply) =>
    prove(request, reply, {
      proof: 'totp',
      check: (account, now) => verifyTotp(factorRooms(rooms), account, request.body.code, now),
    }),
  );
  app.post<{ Body: { code: string } }>(
    '/oauth2/sign-in/recovery-code',
    { schema: codeBody, ...limited },
    (request, reply) =>
      prove(request, reply, {
        proof: 'recovery-code',
        check: (account) => useRecoveryCode(rooms.database, account, request.body.code),
      }),
  );
  app.post('/oauth2/sign-in/passkey/options', limited, async (request, reply) => {
    const begun = await at('second-factor', request);
    return begun ? passkeyRequest(passkeyRooms(rooms), begun.account, rooms.securityClock.now()) : over(reply);
  });
  app.post<{ Body: Assertion }>('/oauth2/sign-in/passkey', { schema: assertionBody, ...limited }, (request, reply) =>
    prove(request, reply, {
      proof: 'passkey',
      check: async (account, now) =>
        (await provenByPasskey(passkeyRooms(rooms), account, request.body, now)) !== undefined,
    }),
  );

  // Whether it can be offered at all, and for which host; the same for everybody.
  app.get('/oauth2/passkey', async () => ({ host: (rooms.sealer && rooms.party()?.id) ?? null }));
  app.post('/oauth2/passkey/options', limited, async (request) => {
    refuseForeignOrigin(request, access.origin());
    return askForPasskey(rooms, passkeyRooms(rooms));
  });
  app.post<{ Body: Assertion }>('/oauth2/passkey', { schema: assertionBody, ...limited }, async (request, reply) => {
    refuseForeignOrigin(request, access.origin());
    const result = await signInByPasskey(rooms, passkeyRooms(rooms), request.body, originOf(request));
    if (result.status !== 'refused') return answerSignIn(reply, result, secure);
    return answer(reply, 401, 'invalid_passkey', 'Cette clé d’accès n’est pas reconnue.');
  });

  /** Those of `wanted` that work here. */
  function means(wanted: Record<string, boolean>): string[] {
    const works: Record<string, boolean> = {
      totp: rooms.sealer !== undefined,
      passkey: rooms.sealer !== undefined && rooms.party() !== undefined,
    };
    return Object.keys(wanted).filter((name) => wanted[name] && works[name] !== false);
  }

  function meansOf({ factors: { totp, passkeys, recoveryCodes } }: PendingSignIn): string[] {
    return means({ totp: totp !== undefined, passkey: passkeys.length > 0, 'recovery-code': recoveryCodes > 0 });
  }
}
