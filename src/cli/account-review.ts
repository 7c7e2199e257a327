import { decide, decisionTexts, lastPeriod, periodNamed, reviewAccounts, reviewMarkdown } from '../access/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { operatorName } from './operator.ts';

const decisions = ['kept', 'changed', 'withdrawn'] as const;

/** Reviews of accounts: `<tenant> [period] [--json]`, or `decide <tenant> <period> <login> <kept|changed|withdrawn> [reason]`. */
export async function accountReview(args: string[], env: Environment): Promise<number> {
  // Days are the machine's, even when a demonstration runs on a faster clock.
  const now = new Date();
  return inAuditRoom(env, async ({ database, tell }) => {
    try {
      if (args[0] === 'decide') {
        const [, tenant, name, login, wanted, ...words] = args;
        const decision = decisions.find((known) => known === wanted);
        if (!tenant || !name || !login || !decision) {
          throw new CommandError('account-review decide <groupe> <période> <login> <kept|changed|withdrawn> [motif]');
        }
        const made = { decision, reason: words.join(' '), reviewer: operatorName(env), decidedAt: now };
        await decide(database, tenant, periodNamed(name), login, made);
        const details = { account: login, period: name, decision };
        await tell(tenant, 'operator:account-review', { kind: 'operator-command', details });
        process.stdout.write(`${login} : ${decisionTexts[decision]}\n`);
        return 0;
      }
      const [tenant, name] = args.filter((argument) => !argument.startsWith('--'));
      if (!tenant) throw new CommandError('account-review <groupe> [2026-Q4|2026] [--json]');
      const period = name ? periodNamed(name) : lastPeriod('use', now);
      const review = await reviewAccounts(database, tenant, period, now);
      process.stdout.write(args.includes('--json') ? `${JSON.stringify(review)}\n` : reviewMarkdown(review));
      return 0;
    } catch (error) {
      throw error instanceof RangeError ? new CommandError(error.message) : error;
    }
  });
}
