import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { clients } from '../../src/cli/clients.ts';
import type { Database } from '../../src/db/index.ts';
import { createFhirStore } from '../../src/fhir/index.ts';
import { makeKey } from '../access/smart/support.ts';
import { fakeClock, noa } from '../access/support.ts';
import { selfSigned } from '../fhir/subscriptions/certificates.ts';
import { testDatabase } from '../support/database.ts';

let database: Database;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'passerelle-clients-'));
  const store = await createFhirStore({ database });
  const clock = fakeClock();
  const context = { tenant: 'aa', actor: noa, requestId: 'r', interaction: 'create', now: () => clock.now() };
  await store.transaction(context, async (tx) => {
    for (const id of ['hospital', 'clinic']) await tx.create({ resourceType: 'Organization', id, name: id });
    await tx.create({ resourceType: 'Device', id: 'of-clinic', owner: { reference: 'Organization/clinic' } });
  });
  await writeFile(join(folder, 'jwks.json'), (await makeKey()).jwks);
  await writeFile(join(folder, 'cert.pem'), selfSigned(['ris.local']).cert);
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

/** Runs the command; answers what it printed. @throws what it refuses. */
async function run(...args: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await clients(args, {
      ...{ DATABASE_URL: database.url, DATABASE_ADMIN_URL: database.adminUrl, DATA_DIR: folder, LOG_LEVEL: 'silent' },
      CLIENT_KEY_HOSTS: 'keys.example',
    });
    return written.join('');
  } finally {
    spy.mockRestore();
  }
}

const keys = () => ['--keys', join(folder, 'jwks.json')];
const machine = ['--kind', 'backend', '--establishment', 'hospital', '--role', 'ris', '--scope', 'system/Task.rs'];
const app = ['--kind', 'public-app', '--scope', 'user/Patient.rs', '--redirect', 'https://app.example/cb'];

test('a machine, an app, another key, shut off and on: the list shows it', async () => {
  await run('add', 'aa', 'ris-a', ...machine, ...keys());
  await run('add', 'aa', 'viewer', ...app);
  await run('rotate', 'ris-a', '--certificate', join(folder, 'cert.pem'));
  await run('disable', 'viewer');
  expect(await run('list')).toBe(
    [
      'aa  ris-a  backend  Organization/hospital  system/Task.rs  actif',
      'aa  viewer  public-app  -  user/Patient.rs  fermé\n',
    ].join('\n'),
  );
  await run('enable', 'viewer');
  expect(await run('list')).not.toContain('fermé');
});

test.each<[string, string[], RegExp]>([
  [
    'a machine without establishment',
    ['--kind', 'backend', '--role', 'ris', '--scope', 'system/Task.rs'],
    /establishment/,
  ],
  ['an establishment that is not there', [...machine.with(3, 'nowhere')], /aucune Organization\/nowhere/],
  ['a device of another establishment', [...machine, '--device', 'of-clinic'], /n’est pas de Organization\/hospital/],
  ['a scope that is none', [...machine, '--scope', 'system/Nothing.rs'], /inconnu/],
  ['a scope for apps', [...machine, '--scope', 'user/Task.rs'], /system\/ est pour les machines/],
  [
    'a condition on a date',
    [...machine, '--scope', 'system/Task.rs?authored-on=gt2026'],
    /ni un code ni une référence/,
  ],
  ['a condition on writing', [...machine, '--scope', 'system/Task.cruds?status=ready'], /que pour lire et rechercher/],
  ['a condition on a directory', [...machine, '--scope', 'system/Organization.rs?active=true'], /données de patient/],
  ['a life too long', [...machine, '--lifetime', '7200'], /60 à 3600/],
  ['a role that is none', [...machine, '--role', 'king'], /n’est pas un rôle/],
])('%s is refused', async (_name, wrong, message) => {
  await expect(run('add', 'aa', 'refused', ...wrong, ...keys())).rejects.toThrow(message);
  expect(await run('list')).not.toContain('refused');
});

test.each<[string, string[], RegExp]>([
  ['http', ['http://app.example/cb'], /adresse de retour/],
  ['a fragment', ['https://app.example/cb#x'], /adresse de retour/],
  ['a star', ['https://*.example/cb'], /adresse de retour/],
  ['a script', ['javascript:alert(1)'], /adresse de retour/],
  ['a login in it', ['https://user@app.example/cb'], /adresse de retour/],
])('a redirect address with %s is refused', async (_name, addresses, message) => {
  await expect(run('add', 'aa', 'bad-app', ...app.with(5, addresses[0]!))).rejects.toThrow(message);
});

test('an id, an account and a certificate belong to one client', async () => {
  await expect(run('add', 'bb', 'ris-a', ...machine, ...keys())).rejects.toThrow();
  await run('add', 'aa', 'ris-b', ...machine, ...keys());
  await expect(run('rotate', 'ris-b', '--certificate', join(folder, 'cert.pem'))).rejects.toThrow(/un autre client/);
  await expect(run('add', 'aa', 'open', ...app, ...keys())).rejects.toThrow(/ne garde aucun secret/);
  await expect(run('rotate', 'ris-b')).rejects.toThrow(/clés publiques .* ou son certificat/);
  await expect(run('rotate', 'ris-b', '--keys', 'https://evil.example/jwks')).rejects.toThrow(/CLIENT_KEY_HOSTS/);
});
