/** The log of technical accounts (SE-14): administrators keep it, auditors read it. */
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access.ts';
import { findAccount, normaliseLogin } from '../accounts.ts';
import { callerWith } from './administrator.ts';
import { tellChange } from './change.ts';
import { endHolding, listTechnicalAccounts, recordHolding } from './holders.ts';
import { told } from './rules.ts';
import { bodyLimitBytes, byHolding, byLogin, newHoldingBody } from './schemas.ts';

interface HoldingBody {
  holder: string;
  company: string;
  reason: string;
  since?: string;
  until?: string;
}

export async function holderRoutes(app: FastifyInstance, { access }: { access: Access }): Promise<void> {
  const { database, securityClock } = access.accountRooms;

  app.get('/oauth2/technical-accounts', async (request) => {
    const { account } = await callerWith(access, request, ['administrator', 'auditor']);
    return { accounts: await listTechnicalAccounts(database, account.tenant) };
  });

  app.post<{ Params: { login: string }; Body: HoldingBody }>(
    '/oauth2/technical-accounts/:login/holders',
    { schema: { params: byLogin, body: newHoldingBody }, bodyLimit: bodyLimitBytes },
    async (request, reply) => {
      const caller = await callerWith(access, request, ['administrator']);
      const { tenant, login: recordedBy } = caller.account;
      const login = normaliseLogin(request.params.login);
      const { holder, company, reason, since, until } = request.body;
      const now = securityClock.now();
      const from = since ? new Date(since) : now;
      const holding = {
        login,
        holder,
        company,
        reason,
        recordedBy,
        since: from,
        ...(until ? { until: new Date(until) } : {}),
      };
      const id = await recordHolding(database, tenant, holding, now);
      await tellHolding(caller, login, {
        change: 'holder',
        holder,
        company,
        since: from.toISOString(),
        until: until ?? '',
      });
      return reply.code(201).send({ id });
    },
  );

  app.post<{ Params: { login: string; id: string } }>(
    '/oauth2/technical-accounts/:login/holders/:id/end',
    { schema: { params: byHolding } },
    async (request, reply) => {
      const caller = await callerWith(access, request, ['administrator']);
      const { tenant, login: endedBy } = caller.account;
      const { id } = request.params;
      const login = normaliseLogin(request.params.login);
      await endHolding(database, tenant, { login, id, endedBy, until: securityClock.now() });
      await tellHolding(caller, login, { change: 'holder ended', holding: id });
      return reply.code(204).send();
    },
  );

  async function tellHolding(
    caller: Awaited<ReturnType<typeof callerWith>>,
    login: string,
    facts: Record<string, string>,
  ) {
    const account = await findAccount(database, login);
    if (account?.tenant !== caller.account.tenant) throw told(404, 'not-found', 'Ce compte technique n’existe pas.');
    await tellChange(access, caller, account, facts);
  }
}
