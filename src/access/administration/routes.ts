/** Accounts, for administrators of their own tenant (SE-2, docs/access/federation.md). Nothing here shows a patient. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { findAccount, normaliseLogin } from '../accounts.ts';
import type { Caller } from '../own-account/caller.ts';
import { endAccountSessions } from '../own-account/end-sessions.ts';
import { resetFactors } from '../own-account/factors.ts';
import { setTemporaryPassword } from '../own-account/password-change.ts';
import type { Doing } from '../own-account/rooms.ts';
import { everyPolicy } from '../policy.ts';
import { answerAdministrationError, callerWith } from './administrator.ts';
import { type AccountChange, changeAccount, createAccount, type NewAccount } from './change.ts';
import { holderRoutes } from './holder-routes.ts';
import { tieAccount, untieAccount } from './links.ts';
import { listManagedAccounts } from './list.ts';
import { checkTarget, isRoleOfPeople, told } from './rules.ts';
import { accountChangeBody, bodyLimitBytes, byLogin, byLoginAndProvider, newAccountBody, tieBody } from './schemas.ts';

type ByLogin = { Params: { login: string } };
type ByProvider = { Params: { login: string; provider: string } };

export async function administrationRoutes(app: FastifyInstance, { access }: { access: Access }): Promise<void> {
  const { accountRooms: rooms, federation } = access;
  const { database } = rooms;
  const limited = { bodyLimit: bodyLimitBytes };
  const administrator = (request: FastifyRequest) => callerWith(access, request, ['administrator']);

  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.setErrorHandler(answerAdministrationError);

  app.get('/oauth2/accounts', async (request) => {
    const { account } = await administrator(request);
    const { tenant } = account;
    return {
      accounts: await listManagedAccounts(database, tenant),
      roles: everyPolicy()
        .filter(({ role }) => isRoleOfPeople(role))
        .map(({ role, title }) => ({ code: role, title })),
      providers: federation.sources.openid
        .filter((source) => source.tenant === tenant)
        .map(({ name, label, profile }) => ({ name, label, profile })),
    };
  });

  app.post<{ Body: NewAccount }>(
    '/oauth2/accounts',
    { schema: { body: newAccountBody }, ...limited },
    async (request, reply) => {
      const caller = await administrator(request);
      const temporaryPassword = await createAccount(access, caller, request.body);
      reply.code(201);
      return { temporaryPassword, account: await shown(caller, request.body.login) };
    },
  );

  app.patch<ByLogin & { Body: AccountChange }>(
    '/oauth2/accounts/:login',
    { schema: { params: byLogin, body: accountChangeBody }, ...limited },
    async (request) => {
      const caller = await administrator(request);
      await changeAccount(access, caller, request.params.login, request.body);
      return { account: await shown(caller, request.params.login) };
    },
  );

  app.post<ByLogin>('/oauth2/accounts/:login/reset-password', { schema: { params: byLogin } }, async (request) => {
    const doing = await about(request);
    const { kind, tenant, login } = doing.account;
    const [managed] = await listManagedAccounts(database, tenant, login);
    if (kind !== 'person' || managed?.links.some((link) => link.follows)) {
      throw told(409, 'conflict', 'Ce compte n’a pas de mot de passe ici.');
    }
    return { temporaryPassword: await setTemporaryPassword(rooms, doing) };
  });

  app.post<ByLogin>(
    '/oauth2/accounts/:login/reset-factors',
    { schema: { params: byLogin } },
    async (request, reply) => {
      await resetFactors(rooms, await about(request));
      return reply.code(204).send();
    },
  );

  app.post<ByLogin>('/oauth2/accounts/:login/end-sessions', { schema: { params: byLogin } }, async (request) => ({
    ended: await endAccountSessions(rooms, await about(request), {}),
  }));

  app.put<ByProvider & { Body: { subject: string } }>(
    '/oauth2/accounts/:login/links/:provider',
    { schema: { params: byLoginAndProvider, body: tieBody }, ...limited },
    async (request) => {
      const caller = await administrator(request);
      await tieAccount(access, caller, request.params, request.body.subject);
      return { account: await shown(caller, request.params.login) };
    },
  );

  app.delete<ByProvider>(
    '/oauth2/accounts/:login/links/:provider',
    { schema: { params: byLoginAndProvider } },
    async (request, reply) => {
      await untieAccount(access, await administrator(request), request.params);
      return reply.code(204).send();
    },
  );

  await app.register(holderRoutes, { access });

  async function shown({ account: { tenant } }: Caller, login: string) {
    return (await listManagedAccounts(database, tenant, normaliseLogin(login)))[0];
  }

  /** Somebody else's account, and who does something to it. */
  async function about(request: FastifyRequest<ByLogin>): Promise<Doing> {
    const caller = await administrator(request);
    const account = await findAccount(database, normaliseLogin(request.params.login));
    checkTarget(caller.account, account);
    return { context: caller.context, account };
  }
}
