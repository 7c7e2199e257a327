import { endHolding, listTechnicalAccounts, recordHolding } from '../access/index.ts';
import { systemClock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { operator } from './operator.ts';

const usage =
  'technical-account list [groupe] | give <groupe> <login> <détenteur> <société> <motif> | end <groupe> <login>';

/** Who holds which technical account (SE-14): the operator's way to the log that administrators keep in the page. */
export async function technicalAccount(args: string[], env: Environment): Promise<number> {
  const [action, ...rest] = args;
  await inAuditRoom(env, async ({ database, tenants, tell }) => {
    if (action === 'list') return list(database, await tenants(rest[0]));
    const [named, login, holder, company, reason] = rest;
    const [tenant] = named === undefined ? [] : await tenants(named);
    if (tenant === undefined || login === undefined) throw new CommandError(usage);
    const now = systemClock.now();
    const by = operator(env).actor.account;
    if (action === 'give' && holder && company && reason && rest.length === 5) {
      await recordHolding(database, tenant, { login, holder, company, reason, since: now, recordedBy: by }, now);
    } else if (action === 'end') {
      await endHolding(database, tenant, { login, endedBy: by, until: now });
    } else {
      throw new CommandError(usage);
    }
    const details = { account: login, change: action === 'give' ? 'holder' : 'holder ended', holder: holder ?? '' };
    await tell(tenant, 'operator:technical-account', { kind: 'account-change', details });
  });
  return 0;
}

async function list(database: Database, tenants: readonly string[]): Promise<void> {
  for (const tenant of tenants) {
    for (const { login, disabled, holders } of await listTechnicalAccounts(database, tenant)) {
      process.stdout.write(`${tenant}  ${login}${disabled ? '  fermé' : ''}\n`);
      for (const { holder, company, since, until, reason } of holders) {
        process.stdout.write(`    ${since} → ${until ?? 'aujourd’hui'}  ${holder} (${company}) : ${reason}\n`);
      }
    }
  }
}
