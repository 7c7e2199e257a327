/** What operators get wrong is answered in a French sentence, never in the stack of the program. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { insertReception, sha256 } from '../../src/adapters/hl7v2/message-store.ts';
import { runCommand } from '../../src/cli/commands.ts';
import { ensureDatabase, openDatabase } from '../../src/db/index.ts';
import { englishIn } from './french.ts';

let folder: string;
let databaseUrl: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-mistakes-'));
  databaseUrl = await ensureDatabase(inject('superuserUrl'), `t_mistakes_${process.pid}`, 'template_passerelle');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(
  line: string,
  url = databaseUrl,
  more: Record<string, string> = {},
): Promise<{ status: number; said: string }> {
  const said: string[] = [];
  const keep = (text: string | Uint8Array): boolean => said.push(String(text)) > 0;
  const spies = [vi.spyOn(process.stderr, 'write'), vi.spyOn(process.stdout, 'write')];
  for (const spy of spies) spy.mockImplementation(keep);
  try {
    const env = { DATABASE_URL: url, DATA_DIR: folder, PORT: '0', MLLP_PORT: '0', LOG_LEVEL: 'silent', DEMO: 'off' };
    return { status: await runCommand(line.split(' '), { ...env, ...more }), said: said.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Frames of a stack, and names of classes no operator knows. */
const stack = /^\s+at |file:\/\/|FhirError|TypeError|^Error:|undefined/m;

const mistakes = [
  ...['token', 'token ris-demo', 'user', 'user add', 'user disable nobody', 'user enable nobody'],
  ...['user add platform someone dancer Practitioner/x', 'user add platform a radiologist Practitioner/x'],
  ...['user add platform someone radiologist nonsense', 'user add nowhere someone radiologist Practitioner/x'],
  ...['clients add', 'clients add nowhere x --kind machine', 'clients rotate nobody', 'clients disable nobody'],
  ...['clients add nowhere x --kind dancer --scope y', 'clients list --unknown', 'clients dance'],
  ...['tenants create', 'tenants create /nonexistent.json', 'tenants accept nowhere x', 'tenants revoke platform x'],
  ...['tenants accept platform x --role radiologist', 'tenants establishments platform nobody', 'tenants dance'],
  ...['technical-account give', 'technical-account give nowhere a b c d', 'technical-account end platform nobody'],
  ...['messages show', 'messages show nowhere 1', 'messages replay platform 1', 'messages dance'],
  ...['quarantine export', 'quarantine export platform 1 /tmp/x', 'quarantine destroy platform 1', 'quarantine dance'],
  ...['deliveries replay', 'deliveries replay platform nothing', 'deliveries replay nowhere x', 'deliveries dance'],
  ...['penalties', 'penalties platform', 'penalties platform nothing 2026-05', 'penalties nowhere x 2026-05'],
  ...['incidents close', 'incidents close platform nothing done', 'incidents dance', 'account-review'],
  ...['account-review nowhere', 'account-review platform 2026-Q9', 'account-review decide platform 2026 nobody kept'],
  ...['maintenance', 'maintenance list', 'maintenance announce platform nobody', 'maintenance close platform 1'],
  ...['maintenance announce platform nobody --person A --company B --reason C --from x --to y'],
  ...['maintenance report platform 1', 'audit-verify --tenant nowhere', 'audit-verify --since yesterday'],
  ...['audit-verify --keys /nonexistent', 'audit-export', 'audit-export write', 'audit-export verify /nonexistent'],
  ...['audit-export verify /nonexistent --keys /nonexistent', 'audit-export write /dev/null/x --in-clear'],
  ...[
    'audit-export write /tmp/x --for nonsense',
    'audit-retention dance',
    'audit-retention set nowhere --contract-end x',
  ],
  ...['audit-retention set platform --contract-end x', 'audit-retention destroy x', 'audit-retention destroy 2020-01'],
  ...['audit-reindex --tenant nowhere', 'audit-key dance', 'keys retire', 'keys retire nothing', 'keys dance'],
  ...[
    'backup',
    'backup verify',
    'backup verify --from /nonexistent',
    'backup --to /dev/null/x',
    'backup --keep-days x',
  ],
  ...['restore', 'restore --from /nonexistent', 'restore --unknown', 'sbom /nonexistent/x', 'mail-domain'],
  ...['privacy', 'privacy register', 'privacy register nowhere', 'privacy export', 'privacy open', 'privacy dance'],
  ...['privacy export platform nobody --to /tmp/passerelle-mistakes-x --in-clear', 'privacy open /nonexistent'],
  ...['privacy open /nonexistent --to /tmp/x --identity /nonexistent', 'retention', 'retention run nowhere'],
  ...['contract', 'contract return', 'contract verify', 'contract verify /nonexistent', 'contract destroy platform'],
  ...['contract return nowhere --to /tmp/x --in-clear', 'contract dance', 'terminology', 'terminology load'],
  ...['terminology load loinc /nonexistent', 'terminology load dance x', 'terminology remove', 'relabel nowhere'],
  ...['terminology load loinc /nonexistent --tenant nowhere', 'terminology remove urn:none', 'bench dance'],
  ...['demo --scenario dance', 'demo --dance', 'relabel a b', 'migrate --dance'],
];

it.each(mistakes)('%s', async (line) => {
  const { said } = await run(line);
  expect(said).not.toMatch(stack);
  expect(said.trim()).not.toBe('');
  expect(englishIn(said, line.split(' '))).toBeUndefined();
});

it('a control id that two senders used is asked whose it is: neither message is taken for the other', async () => {
  const database = openDatabase(databaseUrl, databaseUrl);
  for (const [at, partner] of ['RIS-A|CH-A', 'RIS-B|CH-B'].entries()) {
    const raw = Buffer.from(`MSH|^~\\&|${partner}|P|P|2026||ORM^O01|TWICE|P|2.5.1\r`);
    const reception = { tenant: 'platform', partner, controlId: 'TWICE', messageType: 'ORM^O01', raw, network: '' };
    await database.transaction('platform', (sql) =>
      insertReception(
        sql,
        { ...reception, sha256: sha256(raw), at: new Date(Date.UTC(2026, 0, 1 + at)), warnings: [] },
        { outcome: 'AE', answer: undefined, rules: 'r' },
      ),
    );
  }
  await database.close();
  const { status, said } = await run('messages show platform TWICE');
  expect([status, said]).toEqual([1, expect.stringContaining('« RIS-A|CH-A », « RIS-B|CH-B »')]);
  expect((await run('messages show platform TWICE RIS-A|CH-A')).said).toContain('|RIS-A|CH-A|');
});

it('help is in French, of every command', async () => {
  const { said } = await run('--help');
  expect(englishIn(said)).toBeUndefined();
  const names = [...said.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name);
  expect(names).toContain('serve');
  for (const name of names) expect((await run(`${name} --help`)).said).toContain(name);
});

it('a port that is taken is named, with what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { status, said } = await run('serve', databaseUrl, { HOST: '127.0.0.1', PORT: String(port) });
  taken.close();
  expect(status).toBe(1);
  expect(said).toMatch(new RegExp(`^Le port 127.0.0.1:${port} est déjà pris`));
});

it('a certificate that is none is told by the name of its variable', async () => {
  const file = join(folder, 'cert.pem');
  await writeFile(file, 'no certificate');
  const { status, said } = await run('serve', databaseUrl, { TLS_CERT: file, TLS_KEY: file });
  expect([status, said]).toEqual([1, expect.stringMatching(/^Certificat ou clé illisible .*TLS_CERT/)]);
});

it('what PORT may be is said, and no server starts', async () => {
  const { status, said } = await run('serve', databaseUrl, { PORT: 'eighty' });
  expect([status, said]).toEqual([
    1,
    'PORT=eighty n’est pas un port : donnez un entier de 0 (un port libre) à 65535.\n',
  ]);
});

it('names the account that there is none of, in French, and tells no trail of a token that was not made', async () => {
  const trail = async () => {
    const database = openDatabase(databaseUrl, databaseUrl);
    try {
      const { rows } = await database.query<{ entries: string }>(
        'platform',
        'SELECT entries FROM fhir.journal WHERE tenant = $1',
        ['platform'],
      );
      return rows.filter(({ entries }) => JSON.stringify(entries).includes('ris-demo')).length;
    } finally {
      await database.close();
    }
  };
  const before = await trail();
  const { status, said } = await run('token ris-demo');
  expect(status).toBe(1);
  expect(said).toMatch(/^Aucun compte utilisable « ris-demo » : voyez « user list »/);
  expect(await trail()).toBe(before);
});

describe('without a database', () => {
  const nowhere = 'postgres://nobody:secret@127.0.0.1:1/none';
  const needing = [
    ...['serve', 'relabel', 'migrate', 'token ris-demo', 'user list', 'clients list', 'tenants list', 'messages'],
    ...[
      'technical-account list',
      'quarantine',
      'deliveries',
      'penalties a b 2026-01',
      'incidents',
      'account-review aa',
    ],
    ...['maintenance list aa', 'audit-verify', 'audit-export write /tmp/x --in-clear', 'audit-retention list'],
    ...['audit-reindex', 'audit-key list', 'keys rewrap', 'backup --to /tmp/x', 'privacy register aa', 'retention run'],
    ...['contract return aa --to /tmp/x --in-clear', 'terminology list'],
  ];
  it.each(needing)('%s says where none answers, and not with which password', async (line) => {
    const { status, said } = await run(line, nowhere);
    expect(status).toBe(1);
    expect(said).toContain('127.0.0.1:1');
    expect(said).toContain('DATABASE_URL');
    expect(said).not.toMatch(stack);
    expect(said).not.toContain('secret');
  });

  it.each([
    ['of another name', (url: URL) => Object.assign(url, { pathname: '/none_of_this_name' }), 'none_of_this_name'],
    ['of nobody', (url: URL) => Object.assign(url, { username: 'nobody_of_this_name' }), 'nobody_of_this_name'],
  ])('%s', async (_name, change, named) => {
    const { status, said } = await run('user list', change(new URL(databaseUrl)).href);
    expect(status).toBe(1);
    expect(said).toContain(named);
    expect(said).toContain('DATABASE_URL');
    expect(said).not.toMatch(stack);
  });
});
