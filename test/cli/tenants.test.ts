import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTenant, readTenantDescription } from '../../src/access/tenants/index.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { createFhirStore, FhirError, systemContext } from '../../src/fhir/index.ts';
import { testDatabase } from '../support/database.ts';

const description = {
  tenant: 'ght-exemple',
  display: 'GHT EXEMPLE',
  legalEntity: { finess: '330099987' },
  establishments: [
    { finess: '330099995', name: 'CH EXEMPLE', units: [{ code: '4521', name: 'Urgences' }] },
    { finess: '2A0099993', name: 'CH EXEMPLE SUD' },
  ],
};

let database: Awaited<ReturnType<typeof testDatabase>>;
let store: Awaited<ReturnType<typeof createFhirStore>>;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
});
afterAll(() => database.close());

const clock = { now: () => new Date('2026-03-01T08:00:00Z') };
const create = (more: object = {}) =>
  createTenant(
    { store },
    (tenant) => systemContext(tenant, 'system:tenants-create', clock),
    readTenantDescription({ ...description, ...more }),
  );
const organizations = async () =>
  (await store.search('ght-exemple', 'Organization', '_sort=_id')).map(
    ({ id, name, partOf }) => `${id} ${name} ${partOf?.reference?.slice('Organization/'.length) ?? ''}`,
  );

describe('a tenant that is created', () => {
  it('is a legal entity with establishments, and units inside them', async () => {
    expect(await create()).toEqual(['finess-330099995', 'finess-2a0099993']);
    expect(await organizations()).toEqual([
      'finess-2a0099993 CH EXEMPLE SUD finess-330099987',
      'finess-330099987 GHT EXEMPLE ',
      'finess-330099995 CH EXEMPLE finess-330099987',
      'finess-330099995-4521 Urgences finess-330099995',
    ]);
  });

  it('gets what is missing when it is created again, and keeps what it has', async () => {
    const [first, second] = description.establishments;
    await create({
      establishments: [{ ...first, name: 'RENAMED' }, second, { finess: '330099979', name: 'CLINIQUE' }],
    });
    expect(await organizations()).toHaveLength(5);
    expect((await organizations()).join()).not.toContain('RENAMED');
  });

  it.each([
    ['the name of every tenant together', { tenant: 'all' }],
    ['a name that is none', { tenant: 'Hôpital' }],
    ['a FINESS of eight characters', { legalEntity: { finess: '33009998' } }],
    ['no establishment', { establishments: [] }],
    ['an establishment without a name', { establishments: [{ finess: '330099995' }] }],
    [
      'a unit whose code has a slash',
      {
        establishments: [{ finess: '330099995', name: 'CH', units: [{ code: 'a/b', name: 'U' }] }],
      },
    ],
  ])('does not take %s', async (_, wrong) => {
    await expect((async () => create(wrong))()).rejects.toThrow(FhirError);
  });
});

describe('the command tenants', () => {
  it('creates, accepts, lists and revokes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenants-'));
    try {
      const file = join(folder, 'group.json');
      await writeFile(file, JSON.stringify({ ...description, tenant: 'ght-commande' }));
      const env = { DATABASE_URL: database.url, DATA_DIR: folder, LOG_LEVEL: 'silent' };
      expect(await output(['tenants', 'create', file], env)).toBe('ght-commande : finess-330099995 finess-2a0099993\n');
      await output(['user', 'add', 'aa', 'dr.elsewhere', 'radiologist', 'Practitioner/elsewhere'], env);
      expect(await output(['tenants', 'accept', 'ght-commande', 'dr.elsewhere', '--role', 'radiologist'], env)).toMatch(
        /^dr\.elsewhere est Practitioner\/\S+ de ght-commande, pour finess-2a0099993 finess-330099987 finess-330099995\n$/,
      );
      expect(await output(['tenants', 'list', 'ght-commande'], env)).toContain('dr.elsewhere (aa)  radiologist');
      await output(['tenants', 'revoke', 'ght-commande', 'dr.elsewhere'], env);
      expect(await output(['tenants', 'list', 'ght-commande'], env)).not.toContain('révoquée');
      expect(await output(['tenants', 'establishments', 'aa', 'dr.elsewhere', 'north'], env)).toBe(
        'dr.elsewhere : north\n',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** What a command that succeeds prints. */
async function output(args: string[], env: Record<string, string>): Promise<string> {
  const { write } = process.stdout;
  let text = '';
  process.stdout.write = ((chunk: string) => {
    text += chunk;
    return true;
  }) as typeof write;
  try {
    expect(await runCommand(args, env)).toBe(0);
  } finally {
    process.stdout.write = write;
  }
  return text;
}
