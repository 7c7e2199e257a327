/** The owner of a Subscription reads its headers as they were written; everybody else, and every other way out, sees them sealed. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Database } from '../../db/index.ts';
import { FhirError, type FhirGuards } from '../contract.ts';
import { type HeaderSealer, openSecrets } from './headers.ts';

export interface RevealOptions {
  database: Database;
  guards: Pick<FhirGuards, 'authenticate'>;
  sealer: Pick<HeaderSealer, 'openText'>;
  /** Where the FHIR routes are, e.g. `/fhir`. */
  prefix: string;
}

const seal = /sealed:([0-9a-f]{32})/g;

/** Register on the application before the FHIR routes: hooks reach the routes registered after them. */
export function revealOwnHeaders(app: FastifyInstance, { database, guards, sealer, prefix }: RevealOptions): void {
  const isSubscription = (url: string) =>
    url.startsWith(`${prefix}/Subscription`, url.startsWith('/t/') ? url.indexOf('/', '/t/'.length) : 0);
  app.addHook('onSend', (request, reply, payload, done) => {
    if (typeof payload !== 'string' || !isSubscription(request.url)) return done(null, payload);
    revealed(request, reply, payload).then((text) => done(null, text), done);
  });

  async function revealed(request: FastifyRequest, reply: FastifyReply, payload: string): Promise<string> {
    const tokens = [...new Set(Array.from(payload.matchAll(seal), ([, token]) => token!))];
    if (tokens.length === 0) return payload;
    const values = await ownValues(await callerOf(request), tokens);
    const isXml = String(reply.getHeader('content-type')).includes('xml');
    return payload.replace(seal, (sealed, token: string) => {
      const value = values.get(token);
      return value === undefined ? sealed : isXml ? xmlText(value) : JSON.stringify(value).slice(1, -1);
    });
  }

  async function callerOf(request: Parameters<FhirGuards['authenticate']>[0]) {
    try {
      return await guards.authenticate(request);
    } catch (error) {
      if (error instanceof FhirError && error.status < 500) return undefined;
      throw error;
    }
  }

  async function ownValues(
    caller: Awaited<ReturnType<typeof callerOf>>,
    tokens: readonly string[],
  ): Promise<Map<string, string>> {
    if (!caller) return new Map();
    const { tenant, actor } = caller;
    const { rows } = await database.query<{ token: string; value: string }>(
      tenant,
      `SELECT token, value FROM subscription_secret AS secret
       JOIN subscription_feed AS feed ON feed.tenant = secret.tenant AND feed.id = secret.subscription
       WHERE secret.tenant = $1 AND token = ANY ($2) AND owner = $3`,
      [tenant, tokens, actor.account],
    );
    return openSecrets(tenant, rows, sealer);
  }
}

function xmlText(value: string): string {
  return value.replace(/[&<>"'\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}
