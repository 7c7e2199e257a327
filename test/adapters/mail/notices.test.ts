import type { ContactPoint, Practitioner, Task } from '@medplum/fhirtypes';
import type { SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMailer, loadTemplates, mailDestination, type SmtpMailer } from '../../../src/adapters/mail/index.ts';
import type { Database } from '../../../src/db/index.ts';
import { createDelivery, type DeliveryRoom } from '../../../src/delivery/index.ts';
import { createFhirStore, type FhirStore, systemContext } from '../../../src/fhir/index.ts';
import { type NoticeTemplate, notices } from '../../../src/teleradiology/index.ts';
import type { Notice } from '../../../src/teleradiology/talk/notices.ts';
import { sendNotice } from '../../../src/teleradiology/talk/send-notice.ts';
import { fakeClock } from '../../delivery/support.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { testDatabase } from '../../support/database.ts';
import { openSmtpPeer, readable, type SmtpPeer } from '../../support/smtp-peer.ts';

const certificate = selfSigned(['localhost'], ['127.0.0.1']);
const clock = fakeClock('2026-05-12T06:10:00Z');
const opened: { close(): unknown }[] = [];
let database: Database;
let store: FhirStore;
let delivery: DeliveryRoom;
let mailer: SmtpMailer;

beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database, checkReferences: false });
  delivery = createDelivery({ database, store, clock, sweepEveryMs: 0, random: () => 0 });
  delivery.registerDestination(
    mailDestination({
      ...{ database, store, clock, templates: await loadTemplates() },
      mailer: { send: (mail) => mailer.send(mail), close: () => undefined },
      baseUrl: () => 'https://passerelle.example',
    }),
  );
  await delivery.start((tenant, interaction) => systemContext(tenant, interaction, clock));
  await write(async (tx) => {
    await tx.update({
      resourceType: 'Patient',
      id: 'mme',
      name: [{ family: 'SECRETNAME', given: ['Zoé'] }],
    });
    await tx.update<Task & { id: string }>({
      resourceType: 'Task',
      id: 'night',
      status: 'in-progress',
      intent: 'order',
      identifier: [{ system: 'https://fhir.passerelle.example/sid/case', value: 'TLR-20260512-ABCD' }],
      for: { reference: 'Patient/mme', display: 'SECRETNAME Zoé' },
      description: 'Scanner cérébral, hématome',
    });
    await tx.update({ resourceType: 'Organization', id: 'chu', name: 'CHU <Exemple> & fils' });
  });
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
afterAll(async () => {
  await delivery.stop();
  await database.close();
});

const write = <T>(work: (tx: Parameters<Parameters<FhirStore['transaction']>[1]>[0]) => Promise<T>) =>
  store.transaction(systemContext('aa', 'test', clock), work);

async function peerOf(options: SMTPServerOptions = {}, settings: object = {}): Promise<SmtpPeer> {
  const peer = await openSmtpPeer({ ...certificate, ...options });
  opened.push(peer);
  mailer = await createMailer({
    host: 'localhost',
    port: peer.port,
    from: 'Passerelle <ne-pas-repondre@passerelle.example>',
    isLoopback: false,
    user: 'passerelle',
    password: () => 's3cret',
    ca: [certificate.cert],
    ...settings,
  });
  opened.push(mailer);
  return peer;
}

let persons = 0;
async function person(telecom: ContactPoint[] = []): Promise<string> {
  const id = `p${++persons}`;
  const practitioner: Practitioner & { id: string } = {
    resourceType: 'Practitioner',
    id,
    name: [{ prefix: ['Dr'], given: ['Noa'], family: 'Test' }],
    ...(telecom.length > 0 ? { telecom } : {}),
  };
  await write((tx) => tx.update(practitioner));
  return `Practitioner/${id}`;
}
const withMail = (value: string, more: Partial<ContactPoint> = {}): ContactPoint => ({
  system: 'email',
  value,
  ...more,
});

const send = (notice: Notice) => write((tx) => sendNotice({ delivery, mail: true }, tx, notice));
const deadLetters = () => delivery.list('aa', ['failed', 'dead']);
const question = (to: string): Notice => ({
  template: 'question',
  to: [{ reference: to }],
  about: 'Task/night',
  values: {},
});

describe('a notice', () => {
  it('leaves over TLS with the number of the case and a link, and names no patient', async () => {
    const peer = await peerOf();
    const noa = await person([withMail('noa@chu.example')]);
    await send({
      template: 'deadline-reminder',
      to: [{ reference: noa }],
      about: 'Task/night',
      values: { percent: 75, due: new Date('2026-05-12T07:10:00Z') },
    });
    await delivery.sweep();
    expect(peer.messages).toHaveLength(1);
    const [message] = peer.messages;
    expect(message).toMatchObject({ to: ['noa@chu.example'], secure: true, user: 'passerelle' });
    const text = readable(message!.text);
    expect(text).toContain('Subject: Passerelle : rappel de délai, dossier TLR-20260512-ABCD');
    expect(text).toContain('75 % du délai du dossier TLR-20260512-ABCD sont écoulés');
    expect(text).toMatch(/12\/05\/2026.*09:10 \(heure de Paris\)/);
    expect(text).toContain('https://passerelle.example/dossier/night');
    expect(text).toContain('https://passerelle.example/mentions-legales');
    expect(text).toContain('Auto-Submitted: auto-generated');
    for (const secret of ['SECRETNAME', 'Zoé', 'hématome', 'Patient/']) expect(text).not.toContain(secret);
  });

  it('of every template has a subject and words for each of its facts, in both forms', async () => {
    const peer = await peerOf();
    const noa = await person([withMail('noa@chu.example')]);
    const examples = {
      instant: clock.now(),
      day: '2026-12-24',
      month: '2026-12',
      number: 50,
      party: 'Organization/chu',
    };
    const words = {
      instant: '12/05/2026',
      day: 'jeudi 24 décembre 2026',
      month: 'décembre 2026',
      number: '50',
      party: 'CHU <Exemple> & fils',
    };
    const escaped = 'CHU &#60;Exemple&#62; &#38; fils';
    for (const template of Object.keys(notices) as NoticeTemplate[]) {
      const { facts, ofCase } = notices[template];
      const values = Object.fromEntries(
        Object.entries(facts).map(([name, kind]) => [name, examples[kind as keyof typeof examples]]),
      );
      await send({ template, to: [{ reference: noa }], values, ...(ofCase ? { about: 'Task/night' } : {}) } as Notice);
      await delivery.sweep();
      const text = readable(peer.messages.pop()!.text).replace(/\s+/g, ' ');
      expect(text).toMatch(/Subject: Passerelle : \S/);
      expect(text, template).not.toMatch(/\{|\}|undefined|null|Invalid/);
      if (ofCase) expect(text).toContain('TLR-20260512-ABCD');
      const told = Object.values(facts) as (keyof typeof words)[];
      for (const kind of told) expect(text, template).toContain(words[kind]);
      if (told.includes('party')) expect(text).toContain(escaped);
    }
  });

  it('reaches the address in use with the best rank, once per address, and says who has none', async () => {
    const peer = await peerOf();
    const preferred = await person([
      withMail('old@chu.example', { use: 'old', rank: 1 }),
      withMail('left@chu.example', { period: { end: '2026-05-11' } }),
      withMail('later@chu.example', { period: { start: '2026-06-01' } }),
      withMail('second@chu.example', { rank: 2 }),
      withMail('first@chu.example', { rank: 1 }),
      { system: 'phone', value: '+33123456789' },
    ]);
    const same = await person([withMail('FIRST@chu.example')]);
    const none = await person();
    const hostile = await person([
      withMail('a@chu.example, b@evil.example'),
      withMail('a@chu.example\nBcc: b@evil.example'),
    ]);
    await write((tx) =>
      tx.update({ resourceType: 'PractitionerRole', id: 'held', practitioner: { reference: preferred } }),
    );
    const sent = await send({
      ...question(preferred),
      to: [preferred, same, none, hostile, 'PractitionerRole/held', 'Device/ris', 'Practitioner/unknown'].map(
        (reference) => ({ reference }),
      ),
    } as Notice);
    expect(sent.queued).toEqual([preferred, same, 'PractitionerRole/held']);
    expect(sent.unreachable).toEqual([none, hostile, 'Device/ris', 'Practitioner/unknown']);
    await delivery.sweep();
    expect(peer.messages.map(({ to }) => to)).toEqual([['first@chu.example']]);
  });

  it('is not queued when the transaction is not committed, nor without a mail server', async () => {
    const peer = await peerOf();
    const noa = await person([withMail('noa@chu.example')]);
    await expect(
      write(async (tx) => {
        await sendNotice({ delivery, mail: true }, tx, question(noa));
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await write((tx) => sendNotice({ delivery }, tx, question(noa)))).toEqual({
      queued: [],
      unreachable: [noa],
    });
    await delivery.sweep();
    expect(peer.messages).toEqual([]);
  });

  it('cannot carry a text that somebody typed', async () => {
    const noa = await person([withMail('noa@chu.example')]);
    for (const [template, values] of [
      ['rota-published', { establishment: 'Organization/chu', month: 'hématome de Mme X' }],
      ['rota-published', { establishment: 'CHU, patient X', month: '2026-12' }],
      ['deadline-passed', { due: 'hier, patient X' }],
    ] as const)
      await expect(
        send({ template, to: [{ reference: noa }], values, about: 'Task/night' } as unknown as Notice),
      ).rejects.toThrow('no valid');
  });
});

describe('when the mail server', () => {
  it('does not answer, the message is kept and sent later under the same id', async () => {
    const down = await peerOf();
    await down.close();
    const noa = await person([withMail('noa@chu.example')]);
    await send(question(noa));
    await delivery.sweep();
    const peer = await peerOf();
    clock.advance(1_000);
    peer.refuse = Object.assign(new Error('try later'), { responseCode: 451 });
    await delivery.sweep();
    delete peer.refuse;
    clock.advance(2_000);
    await delivery.sweep();
    expect(peer.messages).toHaveLength(1);
    const items = await delivery.list('aa', ['delivered'], 1_000);
    const item = items.find(({ destination, attempts }) => destination === `mail:${noa}` && attempts === 3);
    expect(peer.messages[0]!.text).toContain(`Message-ID: <${item?.id}@passerelle.example>`);
    expect(item?.evidence).toMatch(/^250 /);
  });

  it('speaks no TLS, or shows a certificate nobody vouches for, it gets nothing', async () => {
    const noa = await person([withMail('noa@chu.example')]);
    const plain = await peerOf({ disabledCommands: ['STARTTLS'], authOptional: true }, { user: undefined });
    await send(question(noa));
    await delivery.sweep();
    expect(plain.messages).toEqual([]);
    const stranger = await peerOf({}, { ca: undefined });
    clock.advance(10_000);
    await delivery.sweep();
    expect(stranger.messages).toEqual([]);
    const peer = await peerOf();
    clock.advance(10_000);
    await delivery.sweep();
    expect(peer.messages).toHaveLength(1);
  });

  it('knows no such mailbox, the message is a dead letter, and the next one of that mailbox still leaves', async () => {
    const peer = await peerOf({
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('gone') ? Object.assign(new Error('no such user'), { responseCode: 550 }) : null),
    });
    const gone = await person([withMail('gone@chu.example')]);
    await send(question(gone));
    await delivery.sweep();
    const letters = (await deadLetters()).filter(({ destination }) => destination === `mail:${gone}`);
    expect(letters).toMatchObject([{ state: 'failed', lastError: 'the mail server did not take the message (550)' }]);
    await write((tx) =>
      tx.update({ resourceType: 'Practitioner', id: gone.split('/')[1]!, telecom: [withMail('here@chu.example')] }),
    );
    await delivery.replay('aa', letters[0]!.id);
    await delivery.sweep();
    expect(peer.messages.map(({ to }) => to)).toEqual([['here@chu.example']]);
  });

  it('refuses our account, the message waits: it is our fault, not the recipient’s', async () => {
    await peerOf({}, { password: () => 'wrong' });
    const noa = await person([withMail('noa@chu.example')]);
    await send(question(noa));
    await delivery.sweep();
    expect(await delivery.list('aa', ['queued'])).toMatchObject([{ destination: `mail:${noa}`, attempts: 1 }]);
    const peer = await peerOf();
    clock.advance(10_000);
    await delivery.sweep();
    expect(peer.messages).toHaveLength(1);
  });

  it('was away so long that the message would mislead, it is set aside instead', async () => {
    const down = await peerOf();
    await down.close();
    const noa = await person([withMail('noa@chu.example')]);
    await send(question(noa));
    await delivery.sweep();
    const peer = await peerOf();
    clock.advance(49 * 3_600_000);
    await delivery.sweep();
    expect(peer.messages).toEqual([]);
    expect((await deadLetters()).find(({ destination }) => destination === `mail:${noa}`)?.lastError).toContain(
      'too old',
    );
  });

  it('hangs, four mailboxes wait for it and the lanes of everything else stay free', async () => {
    const waiting: (() => void)[] = [];
    let hangs = true;
    await peerOf({
      onData: (stream, _session, done) =>
        void stream.resume().on('end', () => (hangs ? waiting.push(() => done()) : done())),
    });
    for (let n = 0; n < 20; n++) await send(question(await person([withMail(`noa${n}@chu.example`)])));
    const reports: string[] = [];
    delivery.registerDestination({
      prefix: 'ris:',
      deliver: async ({ id }) => {
        reports.push(id);
        return { status: 'delivered' };
      },
    });
    const sweeping = delivery.sweep();
    const until = async (condition: () => boolean) => {
      while (!condition()) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(() => waiting.length === 4);
    await write((tx) => delivery.enqueue(tx, { destination: 'ris:chu', kind: 'report-mdm', focus: 'Task/night' }));
    await until(() => reports.length === 1);
    expect(waiting).toHaveLength(4);
    hangs = false;
    for (const release of waiting) release();
    await sweeping;
    while ((await delivery.list('aa', ['queued'])).length > 0) await delivery.sweep();
  });
});
