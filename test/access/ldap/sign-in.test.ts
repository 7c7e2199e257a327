import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { establishmentsOf } from '../../../src/access/tenants/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { type LdapPeer, openLdapPeer, type PeerEntry } from '../../support/ldap-peer.ts';
import { openRig, type Rig } from '../support.ts';

const group = (name: string) => `cn=${name},ou=groups,dc=chu`;
const password = 'Juste-1234';

function person(uid: string, groups: string[], more: Record<string, string[]> = {}): PeerEntry {
  return {
    dn: `uid=${uid},ou=people,dc=chu`,
    password,
    attributes: {
      uid: [uid],
      objectClass: ['inetOrgPerson'],
      entryUUID: [`id-of-${uid}`],
      sn: [uid.toUpperCase()],
      givenName: ['Test'],
      memberOf: groups,
      ...more,
    },
  };
}

let peer: LdapPeer;
let rig: Rig;

beforeAll(async () => {
  const pem = selfSigned(['localhost'], ['127.0.0.1']);
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-ldap-'));
  await writeFile(join(folder, 'ca.pem'), pem.cert);
  const service: PeerEntry = { dn: 'cn=passerelle,dc=chu', password: 'service', attributes: {} };
  peer = await openLdapPeer(pem, { secure: true, entries: [service] });
  const directory = {
    name: 'chu',
    kind: 'ldap',
    tenant: 'aa',
    urls: [`ldaps://127.0.0.1:${peer.port}`],
    ca: join(folder, 'ca.pem'),
    bind: { account: service.dn },
    people: { base: 'ou=people,dc=chu' },
    attributes: { rpps: 'employeeNumber' },
    rules: [
      { group: group('radiologues'), roles: ['radiologist'], establishments: ['nord'] },
      { group: group('manips'), roles: ['technologist'], establishments: ['sud'] },
    ],
  };
  const file = join(folder, 'sources.json');
  await writeFile(file, JSON.stringify({ ldap: [directory] }));
  const { identitySources } = loadConfig({ IDENTITY_SOURCES: file, LDAP_CHU_PASSWORD: 'service' });
  rig = await openRig({ identitySources });
});
afterAll(async () => {
  await rig.close();
  await peer.close();
});

function signIn(username: string, typed = password) {
  // Each at its own second, so that the trail tells which came first.
  rig.clock.advance(1_000);
  return rig.access.signIn({ username, password: typed, network: '192.0.2.7', requestId: 'req-1' });
}

const accountOf = async (login: string) => (await rig.access.listAccounts('aa')).find((one) => one.login === login);
const changes = async (login: string) =>
  (await rig.trail('subtype=system:identity-source'))
    .map((event) =>
      Object.fromEntries((event.entity ?? []).flatMap(({ detail = [] }) => detail.map((d) => [d.type, d.valueString]))),
    )
    .filter((facts) => facts.account === login)
    .map(({ account: _account, source: _source, ...facts }) => facts);

describe('the first sign-in of somebody from a directory', () => {
  it('makes the account in the tenant of the directory, with what the groups are worth', async () => {
    peer.entries.push(person('alix', [group('radiologues')], { employeeNumber: ['899700990015'] }));
    const result = await signIn('Alix');
    expect(result).toMatchObject({
      status: 'signed-in',
      tenant: 'aa',
      actor: { account: 'alix', roles: ['radiologist'] },
    });
    const account = await accountOf('alix');
    expect(account).toMatchObject({ display: 'Test ALIX', disabled: false });
    expect(await establishmentsOf(rig.database, 'aa', 'alix')).toEqual(['nord']);
    const practitioner = await rig.store.read('aa', 'Practitioner', account!.reference.split('/')[1]!);
    expect(practitioner.identifier).toMatchObject([{ system: 'https://rpps.esante.gouv.fr', value: '99700990015' }]);
    expect(await changes('alix')).toEqual([
      { change: 'created', 'roles-after': 'radiologist', 'establishments-after': 'nord' },
    ]);
  });

  it('opens nothing without a group that is worth a role', async () => {
    peer.entries.push(person('sans', [group('cantine')]));
    expect(await signIn('sans')).toEqual({ status: 'refused' });
    expect(await accountOf('sans')).toBeUndefined();
  });

  it('does not take over an account that has the same name', async () => {
    await rig.access.ensureAccount({
      ...{ tenant: 'aa', login: 'local', kind: 'person' as const, reference: 'Practitioner/local' },
      ...{ display: 'Dr L', roles: ['administrator'], password: 'Bonne-Phrase-2026' },
    });
    peer.entries.push(person('local', [group('radiologues')]));
    expect(await signIn('local')).toEqual({ status: 'refused' });
    expect((await accountOf('local'))?.roles).toEqual(['administrator']);
    expect(peer.heard.filter((line) => line.includes('uid=local'))).toEqual([]);
  });

  it('does not make a second account for a professional who has one', async () => {
    peer.entries.push(person('double', [group('manips')], { employeeNumber: ['99700990015'] }));
    expect(await signIn('double')).toEqual({ status: 'refused' });
    expect(await accountOf('double')).toBeUndefined();
  });

  it('twice at once is one account', async () => {
    peer.entries.push(person('deux', [group('manips')]));
    const results = await Promise.all([signIn('deux'), signIn('deux'), signIn('deux')]);
    expect(results.map((result) => result.status)).toEqual(['signed-in', 'signed-in', 'signed-in']);
  });
});

describe('a later sign-in', () => {
  it('brings roles, establishments and name up to date, and says so', async () => {
    peer.entries.push(person('bouge', [group('radiologues')]));
    await signIn('bouge');
    const entry = peer.entries.find(({ dn }) => dn.startsWith('uid=bouge'))!;
    entry.attributes.memberOf = [group('manips')];
    entry.attributes.sn = ['NOUVEAU'];
    expect(await signIn('bouge')).toMatchObject({
      status: 'signed-in',
      actor: { roles: ['technologist'], display: 'Test NOUVEAU' },
    });
    expect((await changes('bouge')).slice(1)).toEqual([
      {
        change: 'updated',
        'roles-before': 'radiologist',
        'roles-after': 'technologist',
        'establishments-before': 'nord',
        'establishments-after': 'sud',
      },
    ]);
  });

  it('shuts the account off once the directory no longer knows the person, and opens it when it does again', async () => {
    const entry = person('parti', [group('radiologues')]);
    peer.entries.push(entry);
    const first = await signIn('parti');
    peer.entries = peer.entries.filter((one) => one !== entry);
    expect(await signIn('parti')).toEqual({ status: 'refused' });
    expect((await accountOf('parti'))?.disabled).toBe(true);
    const cookie = `passerelle=${first.status === 'signed-in' ? first.secret : ''}`;
    const { statusCode } = await rig.app.inject({ url: '/oauth2/userinfo', headers: { cookie } });
    expect(statusCode).toBe(401);
    peer.entries.push(entry);
    expect(await signIn('parti')).toMatchObject({ status: 'signed-in' });
  });

  it('does not open again what an administrator shut off', async () => {
    peer.entries.push(person('ferme', [group('radiologues')]));
    await signIn('ferme');
    await rig.access.setDisabled('ferme', true);
    expect(await signIn('ferme')).toEqual({ status: 'refused' });
  });

  it('gives nothing to somebody new with the name of somebody who left', async () => {
    const entry = person('nom', [group('radiologues')]);
    peer.entries.push(entry);
    await signIn('nom');
    entry.attributes.entryUUID = ['id-of-another'];
    expect(await signIn('nom')).toEqual({ status: 'refused' });
  });
});

describe('while the directory cannot be asked', () => {
  it('says so for its people and for whoever else is refused, and lets local accounts in', async () => {
    peer.searchResult = 51;
    try {
      await expect(signIn('alix')).rejects.toMatchObject({ status: 503 });
      await expect(signIn('local', 'Fausse-Phrase-2026')).rejects.toMatchObject({ status: 503 });
      await rig.access.ensureAccount({
        ...{ tenant: 'aa', login: 'secours', kind: 'person' as const, reference: 'Practitioner/secours' },
        ...{ display: 'Dr S', roles: ['radiologist'], password: 'Bonne-Phrase-2026' },
      });
      expect(await signIn('secours', 'Bonne-Phrase-2026')).toMatchObject({ status: 'signed-in' });
      expect((await accountOf('alix'))?.disabled).toBe(false);
    } finally {
      peer.searchResult = undefined;
      rig.clock.advance(61_000);
    }
  });
});

describe('the comparison with the directory', () => {
  it('shuts off who left and follows who changed', async () => {
    const [leaves, changes] = [person('sort', [group('radiologues')]), person('change', [group('radiologues')])];
    peer.entries.push(leaves, changes);
    await signIn('sort');
    await signIn('change');
    peer.entries = peer.entries.filter((one) => one !== leaves);
    changes.attributes.memberOf = [group('manips')];
    await rig.access.federation.directories.refresh();
    expect((await accountOf('sort'))?.disabled).toBe(true);
    expect((await accountOf('change'))?.roles).toEqual(['technologist']);
  });

  it('shuts nobody off when most are gone at once', async () => {
    const kept = peer.entries;
    const before = (await rig.access.listAccounts('aa')).filter((one) => one.disabled).length;
    peer.entries = kept.filter(({ dn }) => dn === 'cn=passerelle,dc=chu');
    await rig.access.federation.directories.refresh();
    peer.entries = kept;
    expect((await rig.access.listAccounts('aa')).filter((one) => one.disabled).length).toBe(before);
  });
});
