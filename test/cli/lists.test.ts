import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { incidentKey, incidentResource } from '../../src/access/incidents/resource.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { systemClock } from '../../src/config/index.ts';
import type { Database } from '../../src/db/index.ts';
import { createDelivery } from '../../src/delivery/index.ts';
import { createFhirStore, systemContext } from '../../src/fhir/index.ts';
import { testDatabase } from '../support/database.ts';

let database: Database;
let env: Record<string, string>;

beforeAll(async () => {
  database = await testDatabase();
  env = { DATABASE_URL: database.url, DATA_DIR: await mkdtemp(join(tmpdir(), 'passerelle-lists-')) };
});
afterAll(() => database.close());

async function run(...args: string[]): Promise<string> {
  const said: string[] = [];
  const keep = (text: string | Uint8Array): boolean => said.push(String(text)) > 0;
  const spies = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  for (const spy of spies) spy.mockImplementation(keep);
  try {
    await runCommand(args, env);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return said.join('');
}

it('an incident is listed in French words until it is closed with what was done', async () => {
  const store = await createFhirStore({ database });
  const at = new Date('2026-11-22T03:00:00Z');
  const incident = incidentResource(
    {
      ...{ kind: 'brute-force', severity: 'critical', status: 'open', occurrences: 12, first: at, last: at },
      account: 'noa',
    },
    incidentKey('brute-force', 'noa'),
  );
  const { id } = await store.transaction(systemContext('aa', 'system:test', systemClock), (tx) => tx.create(incident));
  const line = `aa  ${id}  2026-11-22T03:00:00.000Z  ouvert  critique  brute-force (Essais répétés de mots de passe) ×12  noa\n`;
  expect(await run('incidents')).toBe(line);
  expect(await run('incidents', 'close', 'aa', id, 'Compte', 'fermé')).toBe(`${id} : clos.\n`);
  expect(await run('incidents')).toBe('');
  expect(await run('incidents', 'list', '--all')).toBe(line.replace('ouvert', 'clos'));
});

it('what waits to leave says how far it is, in French beside the code of the documents', async () => {
  const store = await createFhirStore({ database });
  const delivery = createDelivery({ database, store, clock: systemClock });
  const context = systemContext('aa', 'system:test', systemClock);
  const id = await store.transaction(context, (tx) =>
    delivery.enqueue(tx, { destination: 'ris:ch', kind: 'report-mdm', focus: 'Task/1' }),
  );
  expect(await run('deliveries')).toMatch(
    new RegExp(`^aa {2}${id} {2}queued \\(en file\\) {2}report-mdm → ris:ch {2}\\S+ {2}0 essais\\n$`),
  );
  expect(await run('deliveries', 'replay', 'aa', id)).toBe(
    `Aucun envoi abandonné ${id} : voyez « deliveries list ».\n`,
  );
});
