import type { SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createMailer, type SmtpMailer } from '../../../src/adapters/mail/index.ts';
import { openSmtpPeer, type SmtpPeer } from '../../support/smtp-peer.ts';
import { selfSigned } from './certificates.ts';
import { asked, openRig, order, type Rig, topic } from './support.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  rig.refused = () => false;
  for (const { id } of await rig.store.search('aa', 'Subscription', ''))
    await rig.store.transaction(rig.as('ris'), (tx) => tx.delete('Subscription', id!));
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function openPeer(options: SMTPServerOptions = {}): Promise<SmtpPeer> {
  const peer = await openSmtpPeer(options);
  opened.push(peer);
  return peer;
}

const certificate = selfSigned(['localhost'], ['127.0.0.1']);

function mailerTo(peer: SmtpPeer, more: object = {}) {
  const settings = {
    host: 'localhost',
    port: peer.port,
    from: 'Passerelle <ne-pas-repondre@passerelle.example>',
    isLoopback: false,
  };
  return createMailer({ ...settings, user: 'passerelle', password: () => 's3cret', ca: [certificate.cert], ...more });
}

/** One server; its mail goes to the peer of the test. */
let rig: Rig;
let mailer: SmtpMailer;
beforeAll(async () => {
  rig = await openRig({ mailer: { send: (mail) => mailer.send(mail) } });
});
afterAll(() => rig.close());

async function mailTo(peer: SmtpPeer, more: object = {}): Promise<void> {
  mailer = await mailerTo(peer, more);
  opened.push(mailer);
}

const ask = (criteria: string) => asked(criteria, { type: 'email', endpoint: 'mailto:noa@hopital.example' });

test('the message says in French that something awaits and where, over STARTTLS, and nothing about the patient', async () => {
  const peer = await openPeer({ ...certificate });
  await mailTo(peer);
  await rig.activate(ask(topic('report-available')));
  const patient = await rig.write({ resourceType: 'Patient', name: [{ family: 'MOREAU' }] });
  const report = await rig.write({
    resourceType: 'DiagnosticReport',
    status: 'final',
    code: { text: 'Scanner' },
    conclusion: 'SECRET',
    subject: { reference: `Patient/${patient.id}` },
  });
  await rig.subscriptions.sweep();
  expect(peer.messages).toHaveLength(1);
  const [message] = peer.messages;
  expect(message).toMatchObject({
    to: ['noa@hopital.example'],
    from: 'ne-pas-repondre@passerelle.example',
    secure: true,
    user: 'passerelle',
  });
  const decoded = message!.text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = Buffer.from(decoded, 'latin1').toString();
  expect(text).toContain('Subject: Passerelle : un compte rendu est disponible');
  expect(text).toContain('Pour en prendre connaissance, connectez-vous à Passerelle :');
  expect(text).toContain(rig.url);
  for (const secret of ['MOREAU', 'SECRET', 'Scanner', patient.id, report.id, 'DiagnosticReport'])
    expect(text).not.toContain(secret);
});

test('several events at once are one message', async () => {
  const peer = await openPeer({ ...certificate });
  await mailTo(peer);
  await rig.activate(ask('ServiceRequest?'));
  for (let n = 0; n < 3; n++) await rig.write(order());
  await rig.subscriptions.sweep();
  expect(peer.messages).toHaveLength(1);
  expect(peer.messages[0]!.text).toContain('(3)');
});

test('what the owner may not read is not announced', async () => {
  const peer = await openPeer({ ...certificate });
  await mailTo(peer);
  await rig.activate(ask('ServiceRequest?'));
  rig.refused = (_context, request) => request.interaction === 'read';
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(peer.messages).toEqual([]);
});

test('a mail server without STARTTLS, or with a certificate nobody vouches for, gets nothing', async () => {
  const plain = await openPeer({ disabledCommands: ['STARTTLS'], authOptional: true });
  await mailTo(plain, { user: undefined });
  const id = await rig.activate(ask('ServiceRequest?'));
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(plain.messages).toEqual([]);
  const { rows } = await rig.database.query('aa', 'SELECT last_error FROM subscription_feed WHERE id = $1', [id]);
  expect(rows[0]!.last_error).toBe('the mail server did not take the message (500)');

  const unknown = await openPeer({ ...certificate });
  await mailTo(unknown, { ca: undefined });
  rig.clock.advance(1_000);
  await rig.subscriptions.sweep();
  expect(unknown.messages).toEqual([]);
});

test('to this machine itself no encryption is asked for', async () => {
  const peer = await openPeer({ disabledCommands: ['STARTTLS'], authOptional: true });
  await mailTo(peer, { isLoopback: true, user: undefined });
  await rig.activate(ask('ServiceRequest?'));
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(peer.messages).toHaveLength(1);
});

test('a message that was refused is sent again, under the same id', async () => {
  const peer = await openPeer({ ...certificate });
  await mailTo(peer);
  await rig.activate(ask('ServiceRequest?'));
  peer.refuse = Object.assign(new Error('try later'), { responseCode: 451 });
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(peer.messages).toEqual([]);
  delete peer.refuse;
  rig.clock.advance(1_000);
  await rig.subscriptions.sweep();
  expect(peer.messages).toHaveLength(1);
  expect(peer.messages[0]!.text).toMatch(/^Message-ID: <[\w-]+-1@127\.0\.0\.1>\r$/im);
});

test('without a mail server the channel is refused, and data by mail always is', async () => {
  const without = await openRig();
  opened.push(without);
  await expect(without.write(ask('ServiceRequest?'))).rejects.toMatchObject({ status: 422 });
  const { endpoint } = ask('').channel;
  for (const channel of [
    { content: 'full-resource' },
    { content: 'id-only', payload: 'text/plain' },
    { payload: 'application/fhir+json' },
    { payload: 'text/plain;attach=application/fhir+json' },
    { endpoint: 'mailto:a@b.example,c@d.example' },
    { endpoint: 'mailto:a@b.example?bcc=c@d.example' },
  ])
    await expect(
      rig.write(asked(topic('report-available'), { type: 'email', endpoint: endpoint!, ...channel })),
    ).rejects.toMatchObject({
      status: 422,
    });
});
