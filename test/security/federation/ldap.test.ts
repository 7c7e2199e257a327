/** Signing in at a directory, attacked by names and passwords that try to be something else. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/index.ts';
import { openRig, type Rig } from '../../access/support.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { type LdapPeer, openLdapPeer } from '../../support/ldap-peer.ts';

let peer: LdapPeer;
let rig: Rig;

beforeAll(async () => {
  const pem = selfSigned(['localhost'], ['127.0.0.1']);
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-ldap-'));
  await writeFile(join(folder, 'ca.pem'), pem.cert);
  const attributes = {
    uid: ['alix'],
    objectClass: ['inetOrgPerson'],
    entryUUID: ['1'],
    sn: ['A'],
    memberOf: ['cn=r,dc=chu'],
  };
  peer = await openLdapPeer(pem, {
    secure: true,
    entries: [
      { dn: 'cn=passerelle,dc=chu', password: 'service', attributes: {} },
      { dn: 'uid=alix,ou=people,dc=chu', password: 'Juste-1234', attributes },
    ],
  });
  const directory = {
    ...{
      name: 'chu',
      kind: 'ldap',
      tenant: 'aa',
      urls: [`ldaps://127.0.0.1:${peer.port}`],
      ca: join(folder, 'ca.pem'),
    },
    ...{ bind: { account: 'cn=passerelle,dc=chu' }, people: { base: 'ou=people,dc=chu' } },
    rules: [{ group: 'cn=r,dc=chu', roles: ['radiologist'] }],
  };
  const file = join(folder, 'sources.json');
  await writeFile(file, JSON.stringify({ ldap: [directory] }));
  const { identitySources } = loadConfig({ IDENTITY_SOURCES: file, LDAP_CHU_PASSWORD: 'service' });
  rig = await openRig({ identitySources });
  await rig.access.ensureAccount({
    ...{ tenant: 'aa', login: 'local', kind: 'person', reference: 'Practitioner/local', display: 'L' },
    ...{ roles: ['radiologist'], password: 'Bonne-Phrase-2026' },
  });
});
afterAll(async () => {
  await rig.close();
  await peer.close();
});
beforeEach(() => {
  peer.heard.length = 0;
  // Nobody waits for what the tests before tried.
  rig.clock.advance(25 * 3_600_000);
});

function login(username: string, password: string) {
  return rig.app.inject({ method: 'POST', url: '/oauth2/login', payload: { username, password } });
}

describe('a name typed at the sign-in page', () => {
  it.each([
    '*',
    'alix*',
    'alix)(uid=*',
    '*)(objectClass=*',
    'alix\u0000',
    'uid=alix,ou=people',
    'al\\69x',
    '(|(uid=alix',
  ])('is no filter and no distinguished name: %j never reaches the directory', async (name) => {
    expect((await login(name, 'Juste-1234')).statusCode).toBe(401);
    expect(peer.heard).toEqual([]);
  });

  it('opens its own account and nothing without a password', async () => {
    expect((await login('alix', '')).statusCode).toBe(400);
    expect((await login('alix', '\u0000')).statusCode).toBe(401);
    expect((await login('alix', 'Juste-1234')).statusCode).toBe(200);
  });

  it('is answered alike whether a directory, a local account or nobody has it', async () => {
    const answers: [number, string, number][] = [];
    for (const name of ['alix', 'local', 'personne']) {
      peer.heard.length = 0;
      const { statusCode, body } = await login(name, 'Fausse-Phrase-2026');
      answers.push([statusCode, body, peer.heard.length]);
    }
    expect(answers[0]?.[0]).toBe(401);
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it('does not tell the directory the password of a local account', async () => {
    expect((await login('local', 'Bonne-Phrase-2026')).statusCode).toBe(200);
    await login('local', 'Presque-Bonne-2026');
    expect(peer.heard.join('\n')).not.toMatch(/Bonne|uid=local/);
  });

  it('is slowed down like any other: a directory is no way round the delays', async () => {
    const codes: number[] = [];
    for (let count = 0; count < 7; count++) codes.push((await login('alix', `Fausse-${count}-2026`)).statusCode);
    expect(codes.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    expect(codes.at(-1)).toBe(429);
  });
});
