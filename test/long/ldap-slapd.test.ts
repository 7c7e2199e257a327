/** The directory room against OpenLDAP's own server, run as an ordinary process; where slapd is not installed the run says so. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDirectory } from '../../src/access/ldap/directory.ts';
import { loadConfig, systemClock } from '../../src/config/index.ts';
import { selfSigned } from '../fhir/subscriptions/certificates.ts';

const slapd = '/usr/sbin/slapd';
const isInstalled = existsSync(slapd);
if (!isInstalled) process.stderr.write('slapd is not installed: the directory room was not held against it\n');

const root = 'dc=chu,dc=example';
const people = `ou=people,${root}`;
const group = `cn=Radiologues \\, nuit,ou=groups,${root}`;
let folder: string;
let server: ChildProcess;
let ports: { ldap: number; ldaps: number };

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Resolves once somebody listens. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    if (server.exitCode !== null) throw new Error(`slapd ended with ${server.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function person(uid: string, more = ''): string {
  return `dn: uid=${uid.replace(',', '\\,')},${people}
objectClass: inetOrgPerson
uid: ${uid}
cn: Test ${uid}
sn: NOM-${uid}
givenName: Test
userPassword: Juste-1234
${more}
`;
}

const ldif = `dn: ${root}
objectClass: dcObject
objectClass: organization
o: CHU
dc: chu

dn: ou=people,${root}
objectClass: organizationalUnit
ou: people

dn: ou=groups,${root}
objectClass: organizationalUnit
ou: groups

dn: cn=passerelle,${root}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: passerelle
userPassword: service

${person('alix', 'employeeNumber: 899700990015')}
${person('noa')}
${person('a*b')}
${person('virgule, et')}
dn: ${group}
objectClass: groupOfNames
cn: Radiologues , nuit
member: uid=alix,${people}
member: uid=virgule\\, et,${people}

dn: ou=ailleurs,${people}
objectClass: referral
objectClass: extensibleObject
ou: ailleurs
ref: ldap://192.0.2.1/ou=people,dc=other
`;

beforeAll(async () => {
  if (!isInstalled) return;
  folder = await mkdtemp(join(tmpdir(), 'passerelle-slapd-'));
  const { key, cert } = selfSigned(['localhost'], ['127.0.0.1']);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'key.pem'), key);
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'tree.ldif'), ldif);
  await writeFile(
    join(folder, 'slapd.conf'),
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile ${folder}/cert.pem
TLSCertificateKeyFile ${folder}/key.pem
# What is said in clear is refused, so that a client that does is found out.
security simple_bind=128
disallow bind_anon
database mdb
suffix "${root}"
directory ${folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=passerelle,${root}" read by users read by * none
`,
  );
  execFileSync('/usr/sbin/slapadd', ['-f', join(folder, 'slapd.conf'), '-l', join(folder, 'tree.ldif')]);
  ports = { ldap: await freePort(), ldaps: await freePort() };
  const urls = `ldap://127.0.0.1:${ports.ldap}/ ldaps://127.0.0.1:${ports.ldaps}/`;
  server = spawn(slapd, ['-f', join(folder, 'slapd.conf'), '-h', urls, '-d', '0'], { stdio: 'ignore' });
  await listening(ports.ldaps);
});
afterAll(async () => {
  if (!server || server.exitCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
});

async function directoryOf(fields: object = {}) {
  const warnings: object[] = [];
  const source = {
    name: 'chu',
    kind: 'ldap',
    tenant: 'aa',
    urls: [`ldaps://127.0.0.1:${ports.ldaps}`],
    ca: join(folder, 'cert.pem'),
    bind: { account: `cn=passerelle,${root}` },
    people: { base: people },
    attributes: { rpps: 'employeeNumber' },
    groups: { base: `ou=groups,${root}` },
    rules: [{ group, roles: ['radiologist'] }],
    ...fields,
  };
  const file = join(folder, `sources-${Math.random()}.json`);
  await writeFile(file, JSON.stringify({ ldap: [source] }));
  const [config] = loadConfig({ IDENTITY_SOURCES: file, LDAP_CHU_PASSWORD: 'service' }).identitySources.ldap;
  const log = { warn: (object: object) => void warnings.push(object) };
  return { directory: createDirectory(config!, { clock: systemClock, log }), warnings };
}

describe.runIf(isInstalled)('OpenLDAP', () => {
  it('knows the person and the group whose name has a comma, over LDAPS and over StartTLS', async () => {
    for (const urls of [[`ldaps://127.0.0.1:${ports.ldaps}`], [`ldap://127.0.0.1:${ports.ldap}`]]) {
      const { directory } = await directoryOf({ urls });
      const check = await directory.check('alix', 'Juste-1234');
      expect(check).toMatchObject({
        status: 'right',
        person: { login: 'alix', family: 'NOM-alix', given: 'Test', rpps: '899700990015' },
      });
      expect(check.status === 'right' && check.person.subject).toMatch(/^[0-9a-f-]{36}$/);
      expect(check.status === 'right' && directory.grants(check.groups).roles).toEqual(['radiologist']);
    }
  });

  it('refuses what is wrong, empty or unknown', async () => {
    const { directory } = await directoryOf();
    expect(await directory.check('alix', 'Faux-1234')).toEqual({ status: 'wrong' });
    expect(await directory.check('alix', '')).toEqual({ status: 'wrong' });
    expect(await directory.check('personne', 'Juste-1234')).toEqual({ status: 'unknown', several: false });
  });

  it('takes a name for a name, whatever it is made of', async () => {
    const { directory } = await directoryOf();
    expect(await directory.check('a*b', 'Juste-1234')).toMatchObject({ status: 'right', person: { login: 'a*b' } });
    for (const name of ['*', 'a*', 'alix)(uid=*', '*)(|(uid=*', 'alix\\2a', 'x)(objectClass=*']) {
      expect(await directory.check(name, 'Juste-1234')).toMatchObject({ status: 'unknown' });
    }
    const strange = await directory.check('virgule, et', 'Juste-1234');
    expect(strange.status === 'right' && directory.grants(strange.groups).roles).toEqual(['radiologist']);
  });

  it('binds directly by a template, with a name that stays inside it', async () => {
    const { directory } = await directoryOf({ bind: { as: `uid={login},${people}` } });
    expect(await directory.check('alix', 'Juste-1234')).toMatchObject({ status: 'right', person: { login: 'alix' } });
    expect(await directory.check('virgule, et', 'Juste-1234')).toMatchObject({ status: 'right' });
    expect(await directory.check('alix,ou=people', 'Juste-1234')).toEqual({ status: 'wrong' });
  });

  it('leads nowhere by its references', async () => {
    const { directory } = await directoryOf({
      people: { base: people, filter: '(|(uid={login})(objectClass=referral))' },
    });
    expect(await directory.check('alix', 'Juste-1234')).toMatchObject({ status: 'right' });
    const { directory: inside } = await directoryOf({ people: { base: `ou=ailleurs,${people}` } });
    await expect(inside.check('alix', 'Juste-1234')).rejects.toThrow('no server of chu answers');
  });

  it('is asked about several people on one connection', async () => {
    const { directory } = await directoryOf();
    const found = await directory.find(['alix', 'personne', 'noa']);
    expect(found.map((one) => one?.person.login)).toEqual(['alix', undefined, 'noa']);
  });

  it('hears nothing in clear: bound so, it would have refused', async () => {
    const { directory, warnings } = await directoryOf({ urls: [`ldap://127.0.0.1:${ports.ldap}`], startTls: false });
    await expect(directory.check('alix', 'Juste-1234')).rejects.toThrow('no server of chu answers');
    expect(warnings).toMatchObject([{ reason: 'bind: result 13' }]);
  });
});
