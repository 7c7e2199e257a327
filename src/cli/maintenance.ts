import { parseArgs } from 'node:util';
import { announce, closeWindow, findWindow, listWindows, maintenanceReport } from '../access/index.ts';
import type { Database } from '../db/index.ts';
import { createFhirStore } from '../fhir/index.ts';
import { inAuditRoom } from './audit-room.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { operatorName } from './operator.ts';

const usage = `maintenance list <groupe>
maintenance announce <groupe> <login> --person <nom> --company <société> --reason <motif> --from <instant> --to <instant>
maintenance close <groupe> <id> --report <ce qui a été fait>
maintenance report <groupe> <id>`;

/** Remote maintenance (SE-11): announce a window, close it with a report, print who did what in it. */
export async function maintenance(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      person: { type: 'string' },
      company: { type: 'string' },
      reason: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      report: { type: 'string' },
    },
  });
  const [action, tenant, subject] = positionals;
  if (!action || !tenant) throw new CommandError(usage);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  return inAuditRoom(env, async ({ database, tell }) => {
    try {
      if (action === 'list') {
        for (const { id, login, person, company, startsAt, endsAt, closedAt } of await listWindows(database, tenant)) {
          const state = closedAt ? 'close' : 'annoncée';
          print(
            `${id}  ${login}  ${person} (${company})  du ${startsAt.toISOString()} au ${endsAt.toISOString()}  ${state}`,
          );
        }
        return 0;
      }
      if (!subject) throw new CommandError(usage);
      switch (action) {
        case 'announce': {
          const id = await announceFrom(database, tenant, subject, values, operatorName(env));
          await tell(tenant, 'operator:maintenance-announce', {
            kind: 'maintenance-start',
            reason: values.reason ?? '',
            details: { window: id, account: subject, from: values.from ?? '', to: values.to ?? '' },
          });
          print(id);
          return 0;
        }
        case 'close': {
          const closedBy = operatorName(env);
          await closeWindow(database, tenant, subject, { report: values.report ?? '', closedBy, at: new Date() });
          await tell(tenant, 'operator:maintenance-close', { kind: 'maintenance-stop', details: { window: subject } });
          print(`${subject} : close.`);
          return 0;
        }
        case 'report': {
          const window = await findWindow(database, tenant, subject);
          if (!window) throw new CommandError(`Aucune fenêtre ${subject} : voyez « maintenance list ${tenant} ».`);
          const store = await createFhirStore({ database, checkReferences: false });
          print(await maintenanceReport({ database, store }, window));
          await tell(tenant, 'operator:maintenance-report', { kind: 'audit-use', details: { window: subject } });
          return 0;
        }
        default:
          throw new CommandError(usage);
      }
    } catch (error) {
      throw error instanceof RangeError ? new CommandError(error.message) : error;
    }
  });
}

function announceFrom(
  database: Database,
  tenant: string,
  login: string,
  values: Partial<Record<'person' | 'company' | 'reason' | 'from' | 'to', string>>,
  announcedBy: string,
): Promise<string> {
  const { person = '', company = '', reason = '', from, to } = values;
  const [startsAt, endsAt] = [from, to].map((text) => new Date(text ?? ''));
  if (!startsAt || !endsAt || Number.isNaN(startsAt.getTime()) || Number.isNaN(endsAt.getTime())) {
    throw new CommandError('--from et --to sont des instants, comme 2026-11-22T20:00:00+01:00.');
  }
  const wanted = { tenant, login, person, company, reason, startsAt, endsAt, announcedBy };
  return announce(database, wanted, new Date());
}
