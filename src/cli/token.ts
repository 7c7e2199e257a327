import { loadConfig } from '../config/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { findServer } from './running-server.ts';

const lifetimeSeconds = 12 * 3600;

/** Prints a bearer token of the account named first, valid on the server at `BASE_URL` when set, else at `PORT`. */
export async function token(args: string[], env: Environment): Promise<number> {
  const [account] = args;
  if (!account) throw new CommandError('Quel compte ? Par exemple : npm run -s passerelle -- token ris-demo');
  const config = loadConfig(env);
  const port = config.baseUrl ? Number(new URL(config.baseUrl).port || 443) : config.port;
  const running = config.databaseUrl ? undefined : await findServer(port);
  return inAuditRoom(
    env,
    async ({ access, tell, homeOf }) => {
      await tell(await homeOf(account, { usable: true }), 'operator:token', {
        kind: 'token-issue',
        details: { account },
      });
      process.stdout.write(`${await access.issueToken(account, lifetimeSeconds)}\n`);
      return 0;
    },
    running ? { ...config, dataDir: running.dataDir } : config,
  );
}
