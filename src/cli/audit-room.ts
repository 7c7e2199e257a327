/** What commands about the trail and its accounts need beside the operator's room: whose an account is, and what is pending made and sealed. */
import type { Activity } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import { platformTenant } from '../db/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { inOperatorRoom, type OperatorRoom } from './operator-room.ts';

export interface AuditRoom extends OperatorRoom {
  /** Home tenant of an account; the platform's for a login nobody has. */
  tenantOf(login: string): Promise<string>;
  /** Home tenant of an account that there is, so that nothing is told of one that there is not. @throws CommandError in French. */
  homeOf(login: string, wanted?: { usable: true }): Promise<string>;
  /** The tenant named, or every one. @throws CommandError for a name that is no tenant's. */
  tenants(named: string | undefined): Promise<string[]>;
  /** Makes and seals what is pending, as far as it is by now. */
  seal(tenant: string): Promise<void>;
  /** Tells the trail of a tenant what the operator did; resolves once it is kept. */
  tell(tenant: string, interaction: string, activity: Activity): Promise<void>;
}

/** On a busy server there is always more; what is left is sealed by the next command, or by the server. */
const sealingMs = 60_000;

/** Opens the room for one command, and closes it whatever becomes of the command. */
export async function inAuditRoom<T>(
  env: Environment,
  work: (room: AuditRoom) => Promise<T>,
  config?: Config,
): Promise<T> {
  return inOperatorRoom(env, (room) => work(auditRoom(room)), config);
}

function auditRoom(room: OperatorRoom): AuditRoom {
  const { database, store, access, context } = room;
  const accountNamed = async (login: string) => {
    for (const tenant of await database.tenants()) {
      const account = (await access.listAccounts(tenant)).find((each) => each.login === login.trim().toLowerCase());
      if (account) return { tenant, disabled: account.disabled };
    }
    return undefined;
  };
  return {
    ...room,
    tenantOf: async (login) => (await accountNamed(login))?.tenant ?? platformTenant,
    async homeOf(login, wanted) {
      const known = await accountNamed(login);
      const usable = wanted ? ' utilisable' : '';
      if (known === undefined || (wanted && known.disabled))
        throw new CommandError(
          `Aucun compte${usable} « ${login} » : voyez « user list ». Les comptes de démonstration naissent au premier démarrage.`,
        );
      return known.tenant;
    },
    async tenants(named) {
      const all = await database.tenants();
      if (named === undefined) return all;
      if (!all.includes(named)) throw new CommandError(`Aucun groupe « ${named} » : voyez « tenants list ».`);
      return [named];
    },
    async seal(tenant) {
      const until = performance.now() + sealingMs;
      while (performance.now() < until && (await store.projectSome(tenant)));
    },
    tell: (tenant, interaction, activity) => access.recordActivity(context(tenant, interaction), activity),
  };
}
