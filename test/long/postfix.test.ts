/** Notices against Postfix, run by itself in a folder of its own; where it is not installed, or we are not root, the run says so. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMailer, loadTemplates, mailDestination } from '../../src/adapters/mail/index.ts';
import type { Database } from '../../src/db/index.ts';
import { createDelivery, type DeliveryRoom } from '../../src/delivery/index.ts';
import { createFhirStore, type FhirStore, systemContext } from '../../src/fhir/index.ts';
import { sendNotice } from '../../src/teleradiology/talk/send-notice.ts';
import { fakeClock } from '../delivery/support.ts';
import { selfSigned } from '../fhir/subscriptions/certificates.ts';
import { testDatabase } from '../support/database.ts';
import { readable } from '../support/smtp-peer.ts';

const postfix = '/usr/sbin/postfix';
const isUsable = existsSync(postfix) && process.getuid?.() === 0;
if (!isUsable) process.stderr.write('Postfix is not installed, or we are not root: mail was not held against it\n');

const certificate = selfSigned(['localhost'], ['127.0.0.1']);
const clock = fakeClock('2026-05-12T06:10:00Z');
const services = `
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

let folder: string;
let port: number;
let database: Database;
let store: FhirStore;
let delivery: DeliveryRoom;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return free;
}

/** Asks until it holds: another process works beside us. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end)
      throw new Error(`it did not happen: ${await readFile(join(folder, 'log'), 'utf8').catch(() => '')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const answers = () =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.unref();
  });

async function startPostfix(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-postfix-'));
  await chmod(folder, 0o755);
  port = await freePort();
  const ids = (kind: '-u' | '-g') => Number(execFileSync('id', [kind, 'postfix'], { encoding: 'utf8' }));
  for (const name of ['config', 'queue', 'data', 'boxes']) await mkdir(join(folder, name), { mode: 0o755 });
  await chown(join(folder, 'data'), ids('-u'), ids('-g'));
  await chown(join(folder, 'boxes'), ids('-u'), ids('-g'));
  await writeFile(join(folder, 'cert.pem'), certificate.cert);
  await writeFile(join(folder, 'key.pem'), certificate.key, { mode: 0o600 });
  await writeFile(
    join(folder, 'config', 'main.cf'),
    `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = localhost
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = ${folder}/cert.pem
smtpd_tls_key_file = ${folder}/key.pem
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unlisted_recipient, permit
virtual_mailbox_domains = hopital.example
virtual_mailbox_base = ${folder}/boxes
virtual_mailbox_maps = inline:{noa@hopital.example=noa/}
virtual_uid_maps = static:${ids('-u')}
virtual_gid_maps = static:${ids('-g')}
virtual_minimum_uid = 1
`,
  );
  await writeFile(join(folder, 'config', 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${services}`);
  execFileSync(postfix, ['-c', join(folder, 'config'), 'start'], { stdio: 'ignore' });
  await until(answers);
}

describe.skipIf(!isUsable)('notices by way of Postfix', () => {
  beforeAll(async () => {
    await startPostfix();
    database = await testDatabase();
    store = await createFhirStore({ database, checkReferences: false });
    delivery = createDelivery({ database, store, clock, sweepEveryMs: 0, random: () => 0 });
    const mailer = await createMailer({
      ...{ host: 'localhost', port, from: 'Passerelle <ne-pas-repondre@passerelle.example>' },
      ...{ isLoopback: false, ca: [certificate.cert] },
    });
    const templates = await loadTemplates();
    const baseUrl = () => 'https://passerelle.example';
    delivery.registerDestination(mailDestination({ database, store, mailer, templates, clock, baseUrl }));
    await delivery.start((tenant, interaction) => systemContext(tenant, interaction, clock));
  }, 60_000);
  afterAll(async () => {
    if (folder) execFileSync(postfix, ['-c', join(folder, 'config'), 'stop'], { stdio: 'ignore' });
    await delivery?.stop();
    await database?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const send = (id: string, email: string) =>
    store.transaction(systemContext('aa', 'test', clock), async (tx) => {
      await tx.update({ resourceType: 'Practitioner', id, telecom: [{ system: 'email', value: email }] });
      await tx.update({ resourceType: 'Organization', id: 'chu', name: 'CHU d’Évry' });
      const values = { establishment: 'Organization/chu', month: '2026-12' };
      return sendNotice({ delivery, mail: true }, tx, {
        template: 'rota-published',
        to: [{ reference: `Practitioner/${id}` }],
        values,
      });
    });

  it('arrive whole in the mailbox, over TLS and nothing else', async () => {
    await send('noa', 'noa@hopital.example');
    await delivery.sweep();
    const [item] = await delivery.list('aa', ['delivered']);
    expect(item?.evidence).toMatch(/^250 2\.0\.0 Ok: queued as /);
    const box = join(folder, 'boxes', 'noa', 'new');
    await until(async () => (await readdir(box).catch(() => [])).length === 1);
    const [name = ''] = await readdir(box);
    const text = readable((await readFile(join(box, name), 'utf8')).replace(/\r?\n/g, '\r\n'));
    expect(text).toContain('tableau de garde de décembre 2026');
    expect(text).toContain('CHU d’Évry');
    expect(text).toMatch(/^Received: .*\bwith ESMTPS\b/ms);
  });

  it('to a mailbox it does not have are dead letters at once', async () => {
    await send('nobody', 'nobody@hopital.example');
    await send('far', 'somebody@elsewhere.example');
    await delivery.sweep();
    const letters = await delivery.list('aa', ['failed']);
    expect(letters.map(({ lastError }) => lastError)).toEqual([
      'the mail server did not take the message (550)',
      'the mail server did not take the message (554)',
    ]);
  });
});
