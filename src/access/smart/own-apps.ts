/** Apps a person let in, and the way to put them out again: `/oauth2/account/applications`, for the session of that person only. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Actor } from '../../fhir/index.ts';
import { refusal } from '../refusals.ts';
import { findClient } from './client.ts';
import { contextOf } from './person.ts';
import type { OAuthService } from './service.ts';

/** One consent, as its person sees it. */
interface OwnApp {
  id: string;
  application: string;
  scopes: string[];
  since: string;
  until: string;
}

export function ownAppRoutes(app: FastifyInstance, service: OAuthService): void {
  const { database, trail, guards, clock } = service;

  app.get('/oauth2/account/applications', async (request): Promise<{ applications: OwnApp[] }> => {
    const { tenant, actor } = await ownerOf(request);
    const { rows } = await database.query<{
      grant_id: string;
      client_id: string;
      scopes: string[];
      authenticated_at: Date;
      expires_at: Date;
    }>(
      tenant,
      `SELECT grant_id, client_id, scopes, authenticated_at, expires_at FROM oauth_grant
       WHERE tenant = $1 AND login = $2 AND expires_at > $3 ORDER BY expires_at DESC LIMIT 200`,
      [tenant, actor.account, clock.now()],
    );
    const applications = rows.map(async (row) => ({
      id: row.grant_id,
      application: (await findClient(database, row.client_id))?.display ?? row.client_id,
      scopes: row.scopes,
      since: row.authenticated_at.toISOString(),
      until: row.expires_at.toISOString(),
    }));
    return { applications: await Promise.all(applications) };
  });

  app.delete<{ Params: { id: string } }>('/oauth2/account/applications/:id', async (request, reply) => {
    const { tenant, actor } = await ownerOf(request);
    const { rows } = await database.query<{ client_id: string }>(
      tenant,
      'DELETE FROM oauth_grant WHERE tenant = $1 AND login = $2 AND grant_id = $3 RETURNING client_id',
      [tenant, actor.account, request.params.id.slice(0, 64)],
    );
    const ended = rows[0];
    if (ended) {
      service.forgetTokens();
      await trail.tell(request, {
        ...{ kind: 'token-end', interaction: 'oauth2:withdraw', outcome: 'success' },
        ...{ tenant, actor, clientId: ended.client_id },
      });
    }
    // Whether there was one is told to nobody who guesses.
    return reply.code(204).send();
  });

  /** @throws FhirError 401, 403: a token is no session, and an app must not put out another. */
  async function ownerOf(request: FastifyRequest): Promise<{ tenant: string; actor: Actor }> {
    const caller = await guards.authenticate(request);
    if (request.headers.authorization === undefined && caller.actor.kind === 'person') return caller;
    await guards.auditRead(contextOf(request, caller, 'account', service.now), { resources: [], outcome: 'refused' });
    throw refusal(403, 'forbidden', {
      diagnostics: 'Only the session of a person reaches its account',
      text: 'Ces pages sont réservées à la session d’une personne.',
    });
  }
}
