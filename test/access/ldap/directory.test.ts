import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDirectory } from '../../../src/access/ldap/directory.ts';
import { type LdapSource, loadConfig } from '../../../src/config/index.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { type LdapPeer, openLdapPeer, type PeerEntry } from '../../support/ldap-peer.ts';
import { fakeClock } from '../support.ts';

const radiologues = 'cn=Radiologues,ou=groups,dc=chu';
const alix: PeerEntry = {
  dn: 'uid=alix,ou=people,dc=chu',
  password: 'Juste-1234',
  attributes: {
    uid: ['alix'],
    objectClass: ['inetOrgPerson'],
    entryUUID: ['11111111-2222-3333-4444-555555555555'],
    sn: ['TEST'],
    givenName: ['Alix'],
    memberOf: [radiologues, 'cn=Autres,ou=groups,dc=chu'],
  },
};

let ours: { key: string; cert: string };
let folder: string;
const open: LdapPeer[] = [];

beforeAll(async () => {
  ours = selfSigned(['localhost'], ['127.0.0.1']);
  folder = await mkdtemp(join(tmpdir(), 'passerelle-ldap-'));
  await writeFile(join(folder, 'ca.pem'), ours.cert);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
});

async function peerOf(options: { secure?: boolean; entries?: PeerEntry[]; pem?: { key: string; cert: string } } = {}) {
  const { secure = true, entries = [alix], pem = ours } = options;
  const peer = await openLdapPeer(pem, { secure, entries: [...entries] });
  open.push(peer);
  return peer;
}

async function sourceOf(urls: string[], fields: object = {}): Promise<LdapSource> {
  const file = join(folder, 'sources.json');
  const directory = {
    name: 'chu',
    kind: 'ldap',
    tenant: 'aa',
    urls,
    ca: join(folder, 'ca.pem'),
    timeoutSeconds: 2,
    bind: { account: 'cn=passerelle,dc=chu' },
    people: { base: 'ou=people,dc=chu' },
    rules: [{ group: 'CN=radiologues, OU=groups, DC=chu', roles: ['radiologist'], establishments: ['site-1'] }],
    ...fields,
  };
  await writeFile(file, JSON.stringify({ ldap: [directory] }));
  const [source] = loadConfig({ IDENTITY_SOURCES: file, LDAP_CHU_PASSWORD: 'service' }).identitySources.ldap;
  return { ...source!, timeoutMs: 500 };
}

const service: PeerEntry = { dn: 'cn=passerelle,dc=chu', password: 'service', attributes: {} };
const people = (...entries: PeerEntry[]) => ({ entries: [service, ...entries] });
const ldaps = (peer: LdapPeer) => `ldaps://127.0.0.1:${peer.port}`;
const ldap = (peer: LdapPeer) => `ldap://127.0.0.1:${peer.port}`;

async function directoryOf(urls: string[], fields: object = {}) {
  const clock = fakeClock();
  const warnings: object[] = [];
  const log = { warn: (object: object) => void warnings.push(object) };
  return { directory: createDirectory(await sourceOf(urls, fields), { clock, log }), clock, warnings };
}

describe('signing in at a directory', () => {
  it('knows the person, their groups and what these are worth, over LDAPS', async () => {
    const peer = await peerOf(people(alix));
    const { directory } = await directoryOf([ldaps(peer)]);
    const check = await directory.check('alix', 'Juste-1234');
    expect(check).toMatchObject({
      status: 'right',
      person: { subject: '11111111-2222-3333-4444-555555555555', login: 'alix', family: 'TEST', given: 'Alix' },
    });
    expect(check.status === 'right' && directory.grants(check.groups)).toEqual({
      roles: ['radiologist'],
      establishments: ['site-1'],
    });
    expect(directory.grants(new Set(['cn=autres,ou=groups,dc=chu']))).toEqual({ roles: [], establishments: [] });
  });

  it('says nothing in clear before StartTLS', async () => {
    const peer = await peerOf({ secure: false, ...people(alix) });
    const { directory } = await directoryOf([ldap(peer)]);
    expect(await directory.check('alix', 'Juste-1234')).toMatchObject({ status: 'right' });
    expect(peer.heard.length).toBeGreaterThan(2);
    expect(peer.heard.filter((line) => line.startsWith('clear'))).toEqual([]);
  });

  it('may talk in clear to this machine itself only', async () => {
    const peer = await peerOf({ secure: false, ...people(alix) });
    const { directory } = await directoryOf([ldap(peer)], { startTls: false });
    expect(await directory.check('alix', 'Juste-1234')).toMatchObject({ status: 'right' });
    await expect(sourceOf(['ldap://192.0.2.1'], { startTls: false })).rejects.toThrow('ne voyagent jamais en clair');
  });

  it('tells a wrong password from an unknown person', async () => {
    const { directory } = await directoryOf([ldaps(await peerOf(people(alix)))]);
    expect(await directory.check('alix', 'Faux-1234')).toEqual({ status: 'wrong' });
    expect(await directory.check('noa', 'Juste-1234')).toEqual({ status: 'unknown', several: false });
  });

  it('refuses an empty password, which a directory would take for an anonymous bind', async () => {
    const peer = await peerOf(people(alix));
    const { directory } = await directoryOf([ldaps(peer)]);
    expect(await directory.check('alix', '')).toEqual({ status: 'wrong' });
    expect(peer.heard.filter((line) => line.startsWith(`bind ${alix.dn}`))).toEqual([]);
  });

  it('asks as many questions about an unknown person as about a known one, without the password typed', async () => {
    const peer = await peerOf(people(alix));
    const { directory } = await directoryOf([ldaps(peer)]);
    await directory.check('noa', 'Tape-1234');
    expect(peer.heard.map((line) => line.split(' ')[0])).toEqual(['bind', 'search', 'bind']);
    expect(peer.heard.join('\n')).not.toContain('Tape-1234');
  });

  it('is nobody when two entries answer to the name', async () => {
    const twin = { ...alix, dn: 'uid=alix,ou=other,ou=people,dc=chu' };
    const { directory } = await directoryOf([ldaps(await peerOf(people(alix, twin)))]);
    expect(await directory.check('alix', 'Juste-1234')).toEqual({ status: 'unknown', several: true });
  });

  it('takes the state of an account for a refusal', async () => {
    for (const bindResult of [19, 50, 53]) {
      const { directory } = await directoryOf([ldaps(await peerOf(people({ ...alix, bindResult })))]);
      expect(await directory.check('alix', 'Juste-1234')).toEqual({ status: 'wrong' });
    }
  });

  it('finds groups by a search where entries do not name them', async () => {
    const { memberOf: _none, ...attributes } = alix.attributes;
    const group = {
      dn: radiologues,
      attributes: { objectClass: ['groupOfNames'], member: [alix.dn], cn: ['Radiologues'] },
    };
    const { directory } = await directoryOf([ldaps(await peerOf(people({ ...alix, attributes }, group)))], {
      groups: { base: 'ou=groups,dc=chu' },
    });
    const check = await directory.check('alix', 'Juste-1234');
    expect(check.status === 'right' && directory.grants(check.groups).roles).toEqual(['radiologist']);
  });

  it('reads the binary id of Active Directory as text', async () => {
    const attributes = { ...alix.attributes, objectGUID: Buffer.from('00ff80c1a2b3c4d5e6f708192a3b4c5d', 'hex') };
    const { directory } = await directoryOf([ldaps(await peerOf(people({ ...alix, attributes })))], {
      attributes: { subject: 'objectGUID' },
    });
    expect(await directory.check('alix', 'Juste-1234')).toMatchObject({
      person: { subject: '00ff80c1a2b3c4d5e6f708192a3b4c5d' },
    });
  });
});

describe('binding directly', () => {
  const direct = { bind: { as: 'uid={login},ou=people,dc=chu' } };

  it('searches as the person and needs no service account', async () => {
    const peer = await peerOf({ entries: [alix] });
    const { directory } = await directoryOf([ldaps(peer)], direct);
    expect(await directory.check('alix', 'Juste-1234')).toMatchObject({ status: 'right', person: { login: 'alix' } });
    expect(await directory.check('alix', 'Faux-1234')).toEqual({ status: 'wrong' });
  });

  it('is not fooled by a search that finds somebody else than who bound', async () => {
    const peer = await peerOf({
      entries: [alix, { ...alix, dn: 'uid=noa,ou=people,dc=chu', attributes: { ...alix.attributes, uid: ['chef'] } }],
    });
    const { directory } = await directoryOf([ldaps(peer)], {
      ...direct,
      people: { base: 'ou=people,dc=chu', filter: '(|(uid=chef)(uid={login}x))' },
    });
    expect(await directory.check('alix', 'Juste-1234')).toEqual({ status: 'unknown', several: false });
  });
});

describe('servers that fail', () => {
  it('are passed over for the next, and asked last for a minute', async () => {
    const [mute, good] = [await peerOf(people(alix)), await peerOf(people(alix))];
    mute.silent = true;
    const { directory, clock, warnings } = await directoryOf([ldaps(mute), ldaps(good)]);
    expect(await directory.check('alix', 'Juste-1234')).toMatchObject({ status: 'right' });
    expect(warnings).toHaveLength(1);
    await directory.check('alix', 'Juste-1234');
    expect(warnings).toHaveLength(1);
    clock.advance(61_000);
    mute.silent = false;
    await directory.check('alix', 'Juste-1234');
    expect(mute.heard.length).toBeGreaterThan(0);
  });

  it('make nobody unknown: not reached, a base that does not exist, a service account refused', async () => {
    const peer = await peerOf(people(alix));
    const { directory } = await directoryOf([ldaps(peer)]);
    peer.searchResult = 32;
    await expect(directory.check('noa', 'x')).rejects.toThrow('no server of chu answers');
    const { directory: refused } = await directoryOf([ldaps(await peerOf({ entries: [alix] }))]);
    await expect(refused.check('alix', 'Juste-1234')).rejects.toThrow('no server of chu answers');
    await peer.close();
    await expect(directory.find(['alix'])).rejects.toThrow('no server of chu answers');
  });

  it('do not lead elsewhere: a referral is not followed', async () => {
    const peer = await peerOf(people(alix));
    const { directory, warnings } = await directoryOf([ldaps(peer)]);
    peer.searchResult = 10;
    await expect(directory.check('alix', 'Juste-1234')).rejects.toThrow('no server of chu answers');
    expect(warnings).toMatchObject([{ reason: 'search: result 10' }]);
  });

  it.each(['ldaps', 'ldap'] as const)('are told nothing when they are not who they should be (%s)', async (scheme) => {
    const foreign = selfSigned(['localhost'], ['127.0.0.1']);
    const peer = await peerOf({ secure: scheme === 'ldaps', ...people(alix), pem: foreign });
    const { directory, warnings } = await directoryOf([`${scheme}://127.0.0.1:${peer.port}`]);
    await expect(directory.check('alix', 'Juste-1234')).rejects.toThrow('no server of chu answers');
    expect(peer.heard).toEqual([]);
    expect(warnings).toMatchObject([{ reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' }]);
  });

  it('are told nothing when the certificate is for another name', async () => {
    const elsewhere = selfSigned(['other.example']);
    await writeFile(join(folder, 'elsewhere.pem'), elsewhere.cert);
    const peer = await peerOf({ ...people(alix), pem: elsewhere });
    const { directory, warnings } = await directoryOf([ldaps(peer)], { ca: join(folder, 'elsewhere.pem') });
    await expect(directory.check('alix', 'Juste-1234')).rejects.toThrow('no server of chu answers');
    expect(warnings).toMatchObject([{ reason: 'ERR_TLS_CERT_ALTNAME_INVALID' }]);
  });

  it('cannot put words into TLS: what follows the answer to StartTLS in clear ends the connection', async () => {
    const peer = await peerOf({ secure: false, ...people(alix) });
    // Message 2, a bind that succeeded.
    peer.afterStartTls = Buffer.from('300c02010261070a010004000400', 'hex');
    const { directory, warnings } = await directoryOf([ldap(peer)]);
    await expect(directory.check('alix', 'Faux-1234')).rejects.toThrow('no server of chu answers');
    expect(warnings).toHaveLength(1);
    expect(peer.heard).toEqual([]);
  });
});
