/** A setting that cannot be meant stops the start with its name and what to do, in French, before anything is opened. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { spokenMessage } from '../../src/cli/spoken.ts';
import { loadConfig } from '../../src/config/index.ts';
import { openKeyRing } from '../../src/vault/index.ts';
import { englishIn } from './french.ts';

const folder = mkdtempSync(join(tmpdir(), 'passerelle-settings-'));
const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const tls = { TLS_CERT: '/x/cert.pem', TLS_KEY: '/x/key.pem' };
const directory = {
  name: 'chu',
  kind: 'ldap',
  tenant: 'aa',
  urls: ['ldaps://ldap.chu.example'],
  bind: { as: 'uid={login}' },
  people: { base: 'dc=chu' },
  rules: [{ group: 'cn=x', roles: ['radiologist'] }],
};
const provider = {
  name: 'psc',
  tenant: 'aa',
  issuer: 'https://auth.example',
  clientId: 'x',
  rules: [],
};
const sources = (name: string, change: object) => ({
  IDENTITY_SOURCES: file(`${name}.json`, { ldap: [{ ...directory, ...change }] }),
});
const providers = (name: string, change: object) => ({
  IDENTITY_SOURCES: file(`${name}.json`, { openid: [{ ...provider, ...change }] }),
  OPENID_PSC_SECRET: 'x',
});

const wrong: [name: string, env: Record<string, string>][] = [
  ['PORT', { PORT: 'eighty' }],
  ['BASE_URL', { BASE_URL: '/' }],
  ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
  ['TLS_CERT', { TLS_CERT: '/x/cert.pem' }],
  ['MLLPS_PORT', { MLLPS_PORT: '2576' }],
  ['DEMO_PASSWORD', { DEMO_PASSWORD: 'short' }],
  ['DEMO_CLOCK', { DEMO: 'off', DEMO_CLOCK: '2026-10-24T22:00:00Z,60' }],
  ['DEMO_CLOCK', { DEMO_CLOCK: 'yesterday' }],
  ['FHIR_SEARCH_TIMEOUT', { FHIR_SEARCH_TIMEOUT: '900' }],
  ['SMTP_HOST', { SMTP_HOST: 'mail' }],
  ['SECURITY_ALERT_TO', { SECURITY_ALERT_TO: 'nobody' }],
  ['SECURITY_ALERT_TO', { SECURITY_ALERT_TO: 'a@chu.example' }],
  ['DIMSE_PEERS', { DIMSE_PEERS: 'PACS' }],
  ['DIMSE_AE', { DIMSE_AE: 'A\\B' }],
  ['DIMSE_PORT', { DIMSE_PORT: '70000' }],
  ['DIMSES_PORT', { DIMSES_PORT: '2762' }],
  ['CORS_ORIGINS', { CORS_ORIGINS: 'chu' }],
  ['SECURITY_CONTACT', { SECURITY_CONTACT: 'me' }],
  ['CLAMD_SOCKET', { CLAMD_HOST: 'a', CLAMD_SOCKET: '/x' }],
  ['CLAMD_UNAVAILABLE', { CLAMD_HOST: 'a', CLAMD_UNAVAILABLE: 'hope' }],
  ['CLAMD_TIMEOUT', { CLAMD_HOST: 'a', CLAMD_TIMEOUT: '0' }],
  ['LIMIT_ACCOUNT_RATE', { LIMIT_ACCOUNT_RATE: 'much' }],
  ['DATA_KEYS_FILE', { DATA_KEYS: 'a', DATA_KEYS_FILE: '/x' }],
  ['AUDIT_SYSLOG', { AUDIT_SYSLOG: 'http://x/y' }],
  ['AUDIT_SYSLOG_CA', { AUDIT_SYSLOG: 'collector', AUDIT_SYSLOG_CA: '/nowhere' }],
  ['TLS_CERT', { TLS_CLIENT_CA: 'ca.pem' }],
  ['MLLPS_CLIENT_CERTIFICATE', { ...tls, MLLPS_CLIENT_CERTIFICATE: 'required' }],
  ['TLS_CLIENT_CERTIFICATES', { ...tls, TLS_CLIENT_CERTIFICATES: 'maybe' }],
  ['CLIENT_KEY_HOSTS', { CLIENT_KEY_HOSTS: '*.example' }],
  ['SECOND_FACTOR_ROLES', { SECOND_FACTOR_ROLES: 'Dancer!' }],
  ['DATABASE_URL_FILE', { DATABASE_URL: 'x', DATABASE_URL_FILE: '/x' }],
  ['DATABASE_URL_FILE', { DATABASE_URL_FILE: '/nowhere' }],
  ['DATABASE_URL_FILE', { DATABASE_URL_FILE: file('empty', '') }],
  ['LEGAL_NOTICE', { LEGAL_NOTICE: '/nowhere' }],
  ['LEGAL_NOTICE', { LEGAL_NOTICE: file('notice', '{') }],
  ['editor', { LEGAL_NOTICE: file('notice.json', {}) }],
  ['IDENTITY_SOURCES', { IDENTITY_SOURCES: '/nowhere' }],
  ['IDENTITY_SOURCES', { IDENTITY_SOURCES: file('sources', '{') }],
  ['ldap[0].urls', sources('urls', { urls: [] })],
  ['ldap[0].rules', sources('rules', { rules: [] })],
  ['ldap[0].bind', sources('bind', { bind: {} })],
  ['ldap[0].bind.as', sources('as', { bind: { as: 'uid=x' } })],
  ['LDAP_CHU_PASSWORD', sources('password', { bind: { account: 'cn=x' } })],
  ['ldap[0].people', sources('people', { people: undefined })],
  ['ldap[0].startTls', sources('clear', { urls: ['ldap://x.example'], startTls: false })],
  ['ldap[0].startTls', sources('flag', { startTls: 'yes' })],
  ['ldap[0].ulrs', sources('unknown', { ulrs: [] })],
  ['ldap[0].name', sources('name', { name: 'CHU!' })],
  ['rules[0].roles', sources('roles', { rules: [{ group: 'cn=x', roles: [] }] })],
  ['openid[0].issuer', providers('issuer', { issuer: 'http://auth.example' })],
  ['openid[0].secondFactor', providers('second', { secondFactor: true })],
  ['openid[0].scope', providers('scope', { scope: 'profile' })],
];

it.each(wrong)('%s in %j', (name, env) => {
  const said = refusalOf(() => loadConfig(env));
  expect(said).toContain(name);
  expect(englishIn(said, Object.values(env))).toBeUndefined();
});

it.each([
  ['no key', ''],
  ['what is no key', 'current:short'],
  ['one name twice', `a:${Buffer.alloc(32).toString('base64')},a:${Buffer.alloc(32).toString('base64')}`],
])('a key ring with %s', (_name, text) => {
  const said = refusalOf(() => openKeyRing({ text }));
  expect(said).toContain('rousseau');
  expect(englishIn(said)).toBeUndefined();
});

function refusalOf(start: () => unknown): string {
  try {
    start();
  } catch (error) {
    return spokenMessage(error) ?? expect.fail(`not spoken: ${error}`);
  }
  return expect.fail('it was taken');
}
