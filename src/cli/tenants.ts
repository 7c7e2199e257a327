import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  accept,
  createTenant,
  establishmentsOf,
  listAcceptances,
  readTenantDescription,
  revoke,
  setEstablishments,
} from '../access/index.ts';
import { systemClock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import type { Context, FhirStore } from '../fhir/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { inOperatorRoom } from './operator-room.ts';

const usage = `tenants list [groupe]
tenants create <fichier.json>
tenants accept <groupe> <login> --role <rôle>… [--establishment <Organization>…] [--since <instant>] [--until <instant>]
tenants revoke <groupe> <login>
tenants establishments <groupe> <login> [Organization…]`;

interface Rooms {
  database: Database;
  store: FhirStore;
  contextIn(tenant: string): Context;
  print(line: string): void;
}

interface Options {
  role?: string[];
  establishment?: string[];
  since?: string;
  until?: string;
}

/** Hospital groups: make one with its establishments, say whom of another one it accepts, and bind accounts to establishments. */
export async function tenants(args: string[], env: Environment): Promise<number> {
  const { values, positionals } = parsed(args);
  return inOperatorRoom(env, async ({ database, store, context, print }) => {
    const contextIn = (tenant: string) => context(tenant, `system:tenants-${positionals[0]}`);
    await run({ database, store, contextIn, print }, positionals, values);
    return 0;
  });
}

async function run(rooms: Rooms, [action, first, login, ...ids]: string[], options: Options): Promise<void> {
  const { database, store, contextIn, print } = rooms;
  if (action === 'list') return list(rooms, first);
  if (action === 'create' && first) {
    const description = readTenantDescription(await jsonOf(first));
    const made = await createTenant({ store }, contextIn, description);
    print(`${description.tenant} : ${made.join(' ')}`);
    return;
  }
  if (!first || !login) throw new CommandError(usage);
  if (!(await database.tenants()).includes(first))
    throw new CommandError(`Aucun groupe « ${first} » : voyez « tenants list ».`);
  switch (action) {
    case 'accept': {
      const establishments = options.establishment ?? (await everyEstablishment(store, first));
      const request = { login, roles: options.role ?? [], establishments, ...period(options) };
      const { reference } = await accept({ database, store }, contextIn(first), request, systemClock.now());
      print(`${login} est ${reference} de ${first}, pour ${establishments.join(' ')}`);
      return;
    }
    case 'revoke':
      await revoke(store, contextIn(first), login, systemClock.now());
      print(`${login} n’est plus accepté par ${first}`);
      return;
    case 'establishments':
      await setEstablishments(database, { tenant: first, login, establishments: ids });
      print(`${login} : ${(await establishmentsOf(database, first, login)).join(' ') || 'aucun'}`);
      return;
    default:
      throw new CommandError(usage);
  }
}

async function list({ database, store, print }: Rooms, only: string | undefined): Promise<void> {
  for (const tenant of await database.tenants()) {
    if (only !== undefined && tenant !== only) continue;
    print(tenant);
    for (const { id, name } of await store.search(tenant, 'Organization', `${withFiness}&_sort=_id`))
      print(`  Organization/${id}  ${name ?? ''}`);
    for (const { login, homeTenant, roles, establishments, since, until, acceptedBy, endedAt } of await listAcceptances(
      database,
      tenant,
    )) {
      const end = endedAt ?? until;
      const times = `du ${since.toISOString()}${end ? ` au ${end.toISOString()}` : ', révoquée'}`;
      print(`  ${login} (${homeTenant})  ${roles}  ${establishments}  ${times}  par ${acceptedBy}`);
    }
  }
}

const withFiness = `identifier=${encodeURIComponent('https://finess.esante.gouv.fr|')}`;

/** Those there are now: one that is added later accepts for itself. */
async function everyEstablishment(store: FhirStore, tenant: string): Promise<string[]> {
  const found = await store.search(tenant, 'Organization', `${withFiness}&active=true&_count=200`);
  return found.map(({ id }) => id!);
}

async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw error instanceof SyntaxError ? new CommandError(`${path} n’est pas du JSON${placeOf(error)}.`) : error;
  }
}

/** Where V8 stopped reading, when it says so. */
function placeOf({ message }: SyntaxError): string {
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  return line === undefined ? '' : ` (ligne ${line}, colonne ${column})`;
}

function period({ since, until }: Options): { since?: Date; until?: Date } {
  return { ...(since ? { since: instant(since) } : {}), ...(until ? { until: instant(until) } : {}) };
}

function instant(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new CommandError(`« ${text} » n’est pas un instant, comme 2027-01-31T18:00:00Z.`);
  return date;
}

function parsed(args: string[]) {
  const text = { type: 'string' } as const;
  const options = {
    role: { ...text, multiple: true },
    establishment: { ...text, multiple: true },
    since: text,
    until: text,
  } as const;
  return parseArgs({ args, options, allowPositionals: true });
}
