import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Access } from '../../access/index.ts';
import type { Config } from '../../config/index.ts';
import { type FhirStore, systemContext } from '../../fhir/index.ts';
import { demoPeople, displayOf } from './people.ts';
import { demoResources } from './resources.ts';
import { seedRota } from './rota.ts';

/** Where an unknown sender on a loopback connection belongs, with the demonstration data. */
export const demoHospital = { tenant: 'demo', organizationId: 'ch-exemple' } as const;

const machines = [
  { login: 'ris-demo', reference: 'Device/ris-demo', display: 'RIS de CH-EXEMPLE', role: 'ris' },
  { login: 'conformance', reference: 'Device/conformance', display: 'Tests de conformité', role: 'conformance' },
];

/** Accounts of the demonstration (design §4): exempt from expiry and second factor, never created elsewhere. */
export const demoAccounts = [
  ...demoPeople.map((person) => ({
    login: person.login,
    reference: `Practitioner/${person.login}`,
    display: displayOf(person),
    role: person.role,
  })),
  ...machines,
];

const people = new Set(demoPeople.map(({ login }) => login));

/** Roles that see the establishments of their account only. */
const worksForOne: ReadonlySet<string> = new Set(['radiologist', 'expert', 'requester', 'technologist', 'ris']);

/** Makes the tenant, its reference resources and its accounts; on a database that has them, changes passwords at most. */
export async function seedDemonstration(rooms: { store: FhirStore; access: Access; config: Config }): Promise<void> {
  const { store, access, config } = rooms;
  await store.addTenant(demoHospital.tenant, 'Groupe hospitalier de démonstration');
  await store.transaction(systemContext(demoHospital.tenant, 'system:seed', config.clock), async (tx) => {
    for (const resource of demoResources) {
      if (!(await tx.find(resource.resourceType, resource.id))) await tx.create(resource);
    }
    await seedRota(tx, config.clock.now());
  });
  const password = await demoPassword(config);
  for (const account of demoAccounts) {
    await access.ensureAccount({
      tenant: demoHospital.tenant,
      login: account.login,
      reference: account.reference,
      display: account.display,
      roles: [account.role],
      kind: people.has(account.login) ? 'person' : 'machine',
      demonstration: true,
      ...(people.has(account.login) ? { password } : {}),
      ...(worksForOne.has(account.role) ? { organizationId: demoHospital.organizationId } : {}),
    });
  }
}

/** The password of `DEMO_PASSWORD`, else one made at the first start, kept beside the data and printed once. */
async function demoPassword(config: Config): Promise<string> {
  if (config.demoPassword) return config.demoPassword;
  const file = join(config.dataDir, 'demo-password');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known) return known.trim();
  const password = `Demo-${randomBytes(12).toString('base64url')}`;
  await mkdir(config.dataDir, { recursive: true });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  process.stderr.write(`Mot de passe des comptes de démonstration (affiché une seule fois) : ${password}\n`);
  return password;
}
