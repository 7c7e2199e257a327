import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/index.ts';

const directory = {
  name: 'chu-nord',
  kind: 'ldap',
  tenant: 'aa',
  urls: ['ldaps://ldap.chu.example'],
  bind: { account: 'cn=passerelle,dc=chu' },
  people: { base: 'ou=people,dc=chu' },
  rules: [{ group: 'cn=radiologues,dc=chu', roles: ['radiologist'], establishments: ['site-1'] }],
};
const provider = {
  name: 'psc',
  tenant: 'aa',
  issuer: 'https://auth.psc.example/realms/sante',
  clientId: 'passerelle',
  profile: 'pro-sante-connect',
};
const secrets = { LDAP_CHU_NORD_PASSWORD: 'secret' };

async function load(content: unknown, env: Record<string, string> = secrets) {
  const file = join(await mkdtemp(join(tmpdir(), 'passerelle-')), 'sources.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig({ ...env, IDENTITY_SOURCES: file }).identitySources;
}

describe('the file of identity sources', () => {
  it('knows no source unless a file is named', () => {
    expect(loadConfig({}).identitySources).toEqual({ ldap: [], openid: [] });
  });

  it('fills in what a directory of its kind has by custom', async () => {
    const [ldap] = (await load({ ldap: [directory] })).ldap;
    expect(ldap).toMatchObject({
      startTls: true,
      timeoutMs: 5_000,
      refreshMinutes: 60,
      people: { filter: '(&(objectClass=inetOrgPerson)(uid={login}))' },
      attributes: { subject: 'entryUUID', login: 'uid', family: 'sn', given: 'givenName' },
      groups: { mode: 'attribute', attribute: 'memberOf' },
    });
    expect(ldap?.bind.mode === 'service' && ldap.bind.password()).toBe('secret');
    const [ad] = (await load({ ldap: [{ ...directory, kind: 'active-directory' }] })).ldap;
    expect(ad?.attributes.subject).toBe('objectGUID');
    expect(ad?.people.filter).toContain('!(userAccountControl:1.2.840.113556.1.4.803:=2)');
  });

  it('asks Pro Santé Connect for its scope and its level of assurance', async () => {
    const [psc] = (await load({ openid: [provider] })).openid;
    expect(psc).toMatchObject({
      label: 'Pro Santé Connect',
      discovery: 'https://auth.psc.example/realms/sante/.well-known/wallet-openid-configuration',
      scope: 'openid scope_all',
      acrValues: ['eidas1'],
      accounts: 'known',
    });
  });

  it.each([
    ['not JSON', '{', 'n’est pas du JSON'],
    ['an unknown field', { ldap: [{ ...directory, ulrs: [] }] }, 'ldap[0].ulrs : ce réglage n’existe pas'],
    [
      'a wrong kind',
      { ldap: [{ ...directory, kind: 'nis' }] },
      'ldap[0].kind : il faut l’un de ldap, active-directory',
    ],
    ['no address', { ldap: [{ ...directory, urls: [] }] }, 'ldap[0].urls'],
    ['a web address', { ldap: [{ ...directory, urls: ['https://chu'] }] }, 'ldap[0].urls'],
    ['no rule', { ldap: [{ ...directory, rules: [] }] }, 'ldap[0].rules'],
    [
      'a filter without the login',
      { ldap: [{ ...directory, people: { base: 'x', filter: '(uid=*)' } }] },
      'people.filter',
    ],
    [
      'passwords in clear',
      { ldap: [{ ...directory, urls: ['ldap://chu.example'], startTls: false }] },
      'les mots de passe ne voyagent jamais en clair',
    ],
    ['both ways to bind', { ldap: [{ ...directory, bind: { account: 'cn=x', as: 'uid={login}' } }] }, 'ldap[0].bind'],
    [
      'a refresh nobody can do',
      { ldap: [{ ...directory, bind: { as: '{login}@chu' }, refreshMinutes: 5 }] },
      'refresh',
    ],
    ['two directories for one name', { ldap: [directory, { ...directory, name: 'other' }] }, 'le suffixe «  »'],
    [
      'two sources of one name',
      { ldap: [directory], openid: [{ ...provider, name: 'chu-nord' }] },
      'se nomment « chu-nord »',
    ],
    ['an issuer in clear', { openid: [{ ...provider, issuer: 'http://auth.example' }] }, 'openid[0].issuer'],
    ['a rule without roles', { openid: [{ ...provider, rules: [{ profession: '10', roles: [] }] }] }, 'rules[0].roles'],
    ['accounts for nobody', { openid: [{ ...provider, accounts: 'create' }] }, 'openid[0].rules'],
    [
      'a second factor nothing proves',
      { openid: [{ ...provider, profile: 'openid', secondFactor: true }] },
      'openid[0].secondFactor',
    ],
  ])('refuses %s naming the field', async (_what, content, message) => {
    const refused = load(content, { ...secrets, LDAP_OTHER_PASSWORD: 'secret' });
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(message);
  });

  it('wants the password of the service account from the environment', async () => {
    await expect(load({ ldap: [directory] }, {})).rejects.toThrow('donnez LDAP_CHU_NORD_PASSWORD ou');
  });
});
