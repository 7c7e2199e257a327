/** Operator commands run during a maintenance window: noted before they run, with their exit code afterwards. */
import type { Database } from '../../db/index.ts';

export interface RecordedCommand {
  at: Date;
  command: string;
  /** Exit code; undefined for one whose end nobody noted. */
  outcome?: number;
}

const longestCommand = 4_000;
const running = -1;

/** Runs a command and leaves two entries: that it began, and how it ended. */
export async function recorded(
  database: Database,
  where: { tenant: string; window: string },
  command: string,
  now: () => Date,
  run: () => Promise<number>,
): Promise<number> {
  await note(database, where, command, running, now());
  const outcome = await run().catch(async (error: unknown) => {
    await note(database, where, command, 1, now());
    throw error;
  });
  await note(database, where, command, outcome, now());
  return outcome;
}

async function note(
  database: Database,
  { tenant, window }: { tenant: string; window: string },
  command: string,
  outcome: number,
  at: Date,
): Promise<void> {
  await database.query(
    tenant,
    'INSERT INTO maintenance_entry (tenant, window_id, at, command, outcome) VALUES ($1, $2, $3, $4, $5)',
    [tenant, window, at, command.slice(0, longestCommand), outcome],
  );
}

/** Commands of a window, each once, in the order in which they began. */
export async function recordedCommands(database: Database, tenant: string, window: string): Promise<RecordedCommand[]> {
  const { rows } = await database.query<{ at: Date; command: string; outcome: number }>(
    tenant,
    'SELECT at, command, outcome FROM maintenance_entry WHERE tenant = $1 AND window_id = $2 ORDER BY entry',
    [tenant, window],
  );
  const commands: RecordedCommand[] = [];
  for (const { at, command, outcome } of rows) {
    if (outcome === running) commands.push({ at, command });
    else {
      const begun = commands.findLast((known) => known.command === command && known.outcome === undefined);
      if (begun) begun.outcome = outcome;
    }
  }
  return commands;
}
