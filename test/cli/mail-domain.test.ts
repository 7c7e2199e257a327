import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { argumentsOf, checkMailDomain } from '../../src/cli/mail-domain/index.ts';

const rsa = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
const strong = rsa(2048);

const good: Record<string, string[]> = {
  'gcs.example': ['v=spf1 include:mail.example -all', 'something=else'],
  'mail.example': ['v=spf1 ip4:192.0.2.0/24 -all'],
  's1._domainkey.gcs.example': [`v=DKIM1; k=rsa; p=${strong}`],
  '_dmarc.gcs.example': ['v=DMARC1; p=reject; rua=mailto:dmarc@gcs.example'],
};

/** Levels and sentences of the checks when the DNS differs from a good one by this. */
async function check(change: Record<string, string[]> = {}, selectors = ['s1'], domain = 'gcs.example') {
  const zone: Record<string, string[]> = { ...good, ...change };
  const verdicts = await checkMailDomain(domain, selectors, { txt: async (name) => zone[name] ?? [] });
  return verdicts.map(({ subject, level, text }) => `${subject} ${level}: ${text}`);
}

describe('a mail domain', () => {
  it('that nobody can forge gets three good lines', async () => {
    expect(await check()).toEqual([
      'SPF ok: les serveurs non nommés sont refusés (-all)',
      'DKIM ok: sélecteur « s1 » : clé RSA de 2048 bits',
      'DMARC ok: p=reject',
    ]);
  });

  it('with nothing published has three problems', async () => {
    const lines = await check({}, ['s1'], 'nothing.example');
    expect(lines.map((line) => line.split(':')[0])).toEqual(['SPF problem', 'DKIM problem', 'DMARC problem']);
  });

  it.each([
    [['v=spf1 +all'], 'SPF problem: « +all » autorise'],
    [['v=spf1 all'], 'SPF problem: « +all » autorise'],
    [['v=spf1 mx'], 'SPF problem: pas de « all »'],
    [['v=spf1 ?all'], 'SPF warning: « ?all »'],
    [['v=spf1 ~all'], 'SPF ok'],
    [['v=spf1 redirect=mail.example'], 'SPF ok: la règle est celle d’un autre domaine'],
    [['v=spf1 -all', 'v=spf1 mx -all'], 'SPF problem: 2 enregistrements'],
    [['v=spf1 ipv4:192.0.2.1 -all'], 'SPF problem: terme inconnu « ipv4 »'],
    [['v=spf10 -all'], 'SPF problem: aucun enregistrement'],
    [['v=spf1 include:nowhere.example -all'], 'SPF problem: « nowhere.example » est inclus'],
    [['v=spf1 ptr -all'], 'SPF warning: le terme « ptr »'],
    [[`v=spf1 ${'a:x.example '.repeat(11)}-all`], 'SPF problem: plus de 10 recherches DNS'],
  ])('with the sender policy %j', async (records, line) => {
    expect((await check({ 'gcs.example': records })).some((one) => one.startsWith(line))).toBe(true);
  });

  it('counts the questions of included policies, and is not caught in a circle', async () => {
    const deep = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [`d${at}.example`, [`v=spf1 include:d${at + 1}.example -all`]]),
    );
    const lines = await check({ ...deep, 'gcs.example': ['v=spf1 include:d0.example -all'] });
    expect(lines.some((line) => line.startsWith('SPF problem: plus de 10 recherches'))).toBe(true);
    const circle = await check({
      'gcs.example': ['v=spf1 include:mail.example -all'],
      'mail.example': ['v=spf1 include:gcs.example -all'],
    });
    expect(circle[0]).toBe('SPF ok: les serveurs non nommés sont refusés (-all)');
  });

  it.each([
    [`v=DKIM1; p=${rsa(1024)}`, 'DKIM warning: sélecteur « s1 » : clé RSA de 1024 bits'],
    [`p=${strong}; t=y`, 'DKIM warning: sélecteur « s1 » : en essai'],
    ['v=DKIM1; p=', 'DKIM problem: sélecteur « s1 » : clé révoquée'],
    ['v=DKIM1; p=AAAA', 'DKIM problem: sélecteur « s1 » : clé illisible'],
    [`v=DKIM1; k=ed25519; p=${Buffer.alloc(32).toString('base64')}`, 'DKIM ok: sélecteur « s1 » : clé Ed25519'],
    ['v=DKIM2; p=AAAA', 'DKIM problem: sélecteur « s1 » : ce n’est pas'],
  ])('with the key %s', async (record, line) => {
    expect((await check({ 's1._domainkey.gcs.example': [record] })).some((one) => one.startsWith(line))).toBe(true);
  });

  it('looks for keys where they often are when no selector is named', async () => {
    expect((await check({}, []))[1]).toBe('DKIM ok: sélecteur « s1 » : clé RSA de 2048 bits');
    expect((await check({ 's1._domainkey.gcs.example': [] }, []))[1]).toContain('--selector');
  });

  it.each([
    [['v=DMARC1; p=none; rua=mailto:x@gcs.example'], 'DMARC warning: p=none'],
    [['v=DMARC1; rua=mailto:x@gcs.example'], 'DMARC problem: la règle (p) manque'],
    [['v=DMARC1; p=reject'], 'DMARC warning: pas d’adresse de rapport'],
    [['v=DMARC1; p=reject; sp=none'], 'DMARC warning: les sous-domaines'],
    [['v=DMARC1; p=reject; pct=20'], 'DMARC warning: la règle ne vaut que pour 20 %'],
    [['v=DMARC1; p=reject; rua=mailto:x@reports.example'], 'DMARC warning: reports.example n’a pas accepté'],
    [['v=DMARC1; p=reject; rua=https://x'], 'DMARC problem: adresse de rapport illisible'],
    [['v=DMARC1; p=reject', 'v=DMARC1; p=none'], 'DMARC problem: plusieurs'],
  ])('with the rule %j', async (records, line) => {
    expect((await check({ '_dmarc.gcs.example': records })).some((one) => one.startsWith(line))).toBe(true);
  });

  it('inherits the rule of the domain above it', async () => {
    const lines = await check({ 'tele.gcs.example': ['v=spf1 -all'] }, ['s1'], 'tele.gcs.example');
    expect(lines.at(-1)).toBe('DMARC ok: p=reject, hérité de gcs.example');
  });
});

describe('the command', () => {
  it('takes a domain, its French letters too, and selectors', () => {
    expect(argumentsOf(['hôpital.example.', '--selector', 's1', '--selector', 's2'])).toEqual({
      domain: 'xn--hpital-ixa.example',
      selectors: ['s1', 's2'],
    });
  });

  it.each([
    [[]],
    [['localhost']],
    [['a.example', 'b.example']],
    [['x y.example']],
    [['gcs.example', '--selector', '*']],
  ])('refuses %j', (args) => {
    expect(() => argumentsOf(args)).toThrow();
  });
});
