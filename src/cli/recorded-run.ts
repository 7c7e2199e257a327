/** Operator commands in a window of remote maintenance are noted in it (SE-11): `MAINTENANCE_WINDOW=<tenant>/<id>`. */
import { findWindow, recorded } from '../access/index.ts';
import { loadConfig } from '../config/index.ts';
import { openConfiguredDatabase } from '../db/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

/** Runs a command, noted before and after in the window named `tenant/id`. @throws CommandError when there is no such open window. */
export async function recordedRun(
  args: readonly string[],
  env: Environment,
  named: string,
  run: () => Promise<number>,
): Promise<number> {
  const [tenant = '', id = ''] = named.split('/');
  const database = await openConfiguredDatabase(loadConfig(env), { visitor: true });
  try {
    const window = await findWindow(database, tenant, id);
    const now = new Date();
    if (!window || window.closedAt || now < window.startsAt || now >= window.endsAt) {
      throw new CommandError(
        `MAINTENANCE_WINDOW=${named} n’est pas une fenêtre ouverte : voyez « maintenance list ${tenant} ».`,
      );
    }
    return await recorded(database, { tenant, window: id }, args.join(' '), () => new Date(), run);
  } finally {
    await database.close();
  }
}
