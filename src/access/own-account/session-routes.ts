/** The list of one's sessions, to see and, with a fresh proof, to end them. */
import type { FastifyInstance } from 'fastify';
import { FhirError } from '../../fhir/index.ts';
import type { Access } from '../access.ts';
import { endedCookie } from '../session-cookie.ts';
import { callerOf } from './caller.ts';
import { endAccountSessions } from './end-sessions.ts';
import { withFreshProof } from './fresh.ts';
import { listSessions } from './sessions.ts';

const byId = {
  params: { type: 'object', properties: { id: { type: 'string', pattern: '^[0-9a-f-]{36}$' } } },
} as const;

export async function sessionRoutes(app: FastifyInstance, { access }: { access: Access }): Promise<void> {
  const { secure, accountRooms: rooms } = access;

  app.get('/oauth2/account/sessions', async (request) => {
    const { account, session } = await callerOf(access, request);
    const { tenant, login } = account;
    return {
      sessions: await listSessions(rooms.database, { tenant, login, current: session.id }, rooms.securityClock.now()),
    };
  });

  app.delete<{ Params: { id: string } }>('/oauth2/account/sessions/:id', { schema: byId }, (request, reply) =>
    withFreshProof(access, request, reply, async (caller) => {
      const { id } = request.params;
      const ended = await endAccountSessions(rooms, caller, { id });
      if (ended === 0) throw new FhirError(404, 'not-found', 'No such session');
      if (id === caller.session.id) reply.header('set-cookie', endedCookie(secure));
      return reply.code(204).send();
    }),
  );

  // All but the one that asks.
  app.delete('/oauth2/account/sessions', (request, reply) =>
    withFreshProof(access, request, reply, async (caller) => {
      await endAccountSessions(rooms, caller, { exceptId: caller.session.id });
      return reply.code(204).send();
    }),
  );
}
