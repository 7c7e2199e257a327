import { everyPolicy, isRole, makePassword } from '../access/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/** Accounts: `list`, `add <tenant> <login> <role> <Practitioner/id or Device/id>`, `disable <login>`, `enable <login>`. */
export function user(args: string[], env: Environment): Promise<number> {
  const [action, ...rest] = args;
  return inAuditRoom(env, async ({ database, access, tell, homeOf }) => {
    const print = (line: string) => process.stdout.write(`${line}\n`);
    switch (action) {
      case 'list':
        for (const tenant of await database.tenants()) {
          for (const account of await access.listAccounts(tenant)) {
            const state = account.disabled ? 'fermé' : 'actif';
            print(`${tenant}  ${account.login}  ${account.roles.join(',')}  ${account.reference}  ${state}`);
          }
        }
        break;
      case 'add': {
        const [tenant, login, role, reference] = rest;
        if (!tenant || !login || !role || !reference) {
          throw new CommandError('user add <groupe> <login> <rôle> <Practitioner/… ou Device/…>');
        }
        if (!isRole(role))
          throw new CommandError(
            `« ${role} » n’est pas un rôle : ${everyPolicy()
              .map((policy) => policy.role)
              .join(', ')}.`,
          );
        const kind = reference.startsWith('Device/') ? 'machine' : 'person';
        const password = makePassword({ login, display: login, roles: [role] });
        await tell(tenant, 'operator:user-add', { kind: 'account-change', details: { login, role } });
        await access.ensureAccount({
          tenant,
          login,
          kind,
          reference,
          display: login,
          roles: [role],
          ...(kind === 'person' ? { password, temporaryPassword: true } : {}),
        });
        print(
          kind === 'person' ? `${login} : ${password}` : `${login} : se connecte par un jeton (« token ${login} »)`,
        );
        break;
      }
      case 'disable':
      case 'enable': {
        const [login] = rest;
        if (!login) throw new CommandError(`user ${action} <login>`);
        await tell(await homeOf(login), `operator:user-${action}`, { kind: 'account-change', details: { login } });
        await access.setDisabled(login, action === 'disable');
        print(`${login} : ${action === 'disable' ? 'fermé' : 'rouvert'}`);
        break;
      }
      default:
        throw new CommandError(
          action === undefined
            ? 'user list | add | disable | enable'
            : `« ${action} » est inconnu : list, add, disable ou enable.`,
        );
    }
    return 0;
  });
}
