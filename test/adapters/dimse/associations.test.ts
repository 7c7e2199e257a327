import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dimse } from '../../../src/adapters/dimse/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { type Archive, openArchive } from './archive.ts';
import {
  associate,
  command,
  ctClass,
  explicitLe,
  implicitLe,
  Rejected,
  type ScuOptions,
  u16,
  uid,
  verification,
} from './scu.ts';

let archive: Archive;
let dimse: Dimse;
beforeAll(async () => {
  archive = await openArchive();
  dimse = await archive.listen();
});
afterAll(() => archive.close());

const jpegLossless = '1.2.840.10008.1.2.4.70';

async function answers(contexts: ScuOptions['contexts'] & object): Promise<(readonly [number, string])[]> {
  const scu = await associate({ port: dimse.port, contexts });
  await scu.release();
  return [...scu.contexts.values()].map(({ result, transferSyntax }) => [result, transferSyntax] as const);
}

async function refusal(options: Partial<ScuOptions>): Promise<Rejected['answer']> {
  const outcome = await associate({ port: dimse.port, ...options }).catch((error: unknown) => error);
  if (!(outcome instanceof Rejected)) throw new Error('not rejected');
  return outcome.answer;
}

describe('an association', () => {
  it('is verified by C-ECHO, says who implements it, and ends by release', async () => {
    const scu = await associate({ port: dimse.port });
    expect(await scu.echo()).toMatchObject({ field: 0x8030, status: 0, messageId: 1, sopClassUid: verification });
    expect(await scu.echo()).toMatchObject({ status: 0, messageId: 2 });
    expect(scu.implementationClass).toMatch(/^2\.25\.\d+$/);
    expect((await scu.release())?.type).toBe(6);
  });

  it('takes every storage class, known, new or of a manufacturer, in what encoding it is offered', async () => {
    const accepted = [
      [ctClass, jpegLossless],
      ['1.2.840.10008.5.1.4.1.1.999.1', explicitLe],
      ['1.2.840.10008.5.1.4.34.7', implicitLe],
      ['1.3.46.670589.11.0.0.12.1', explicitLe],
      [ctClass, '1.2.840.10008.1.2.2'],
      [ctClass, '1.2.840.10008.1.2.1.99'],
      [ctClass, '1.2.840.10008.1.2.4.201'],
      ['1.2.840.10008.5.1.4.1.1.77.1.4.1', '1.2.840.10008.1.2.4.102'],
    ];
    const contexts = accepted.map(([abstractSyntax = '', syntax = '']) => ({
      abstractSyntax,
      transferSyntaxes: [syntax],
    }));
    expect(await answers(contexts)).toEqual(accepted.map(([, syntax]) => [0, syntax]));
  });

  it('takes the encoding that is offered first, but explicit rather than implicit', async () => {
    const offer = (...transferSyntaxes: string[]) => ({ abstractSyntax: ctClass, transferSyntaxes });
    expect(
      await answers([
        offer(jpegLossless, explicitLe, implicitLe),
        offer(explicitLe, jpegLossless),
        offer(implicitLe, '1.2.840.10008.1.2.2', explicitLe),
        offer(implicitLe, jpegLossless),
        offer('1.3.6.1.4.1.5962.300.1', explicitLe),
      ]),
    ).toEqual([
      [0, jpegLossless],
      [0, explicitLe],
      [0, explicitLe],
      [0, implicitLe],
      [0, explicitLe],
    ]);
  });

  it('refuses contexts it cannot serve, each by its reason, and lives on with the others', async () => {
    const [find, unreadable, nameless, good] = await answers([
      { abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: [implicitLe] },
      { abstractSyntax: ctClass, transferSyntaxes: ['1.3.6.1.4.1.5962.300.1'] },
      { abstractSyntax: '', transferSyntaxes: [implicitLe] },
      { abstractSyntax: verification, transferSyntaxes: [implicitLe] },
    ]);
    expect([find?.[0], unreadable?.[0], nameless?.[0], good?.[0]]).toEqual([3, 4, 3, 0]);
  });

  it('has no roles but theirs to send and ours to receive', async () => {
    const contexts = [{ abstractSyntax: ctClass, transferSyntaxes: [explicitLe] }];
    const scu = await associate({ port: dimse.port, contexts, roles: [ctClass, '1.2.840.10008.5.1.4.1.1.4'] });
    expect(scu.roles).toEqual([{ sopClass: ctClass, scu: 1, scp: 0 }]);
    await scu.release();
  });

  it('answers what it does not serve as an operation nobody knows, and goes on', async () => {
    const scu = await associate({ port: dimse.port });
    const find = command([
      [0x0002, uid(verification)],
      [0x0100, u16(0x0020)],
      [0x0110, u16(7)],
      [0x0800, u16(0x0101)],
    ]);
    scu.command(1, find);
    expect(await scu.reply()).toMatchObject({ field: 0x8020, messageId: 7, status: 0x0211 });
    expect((await scu.echo()).status).toBe(0);
    await scu.release();
  });

  it('cuts its answers to the size the other side takes', async () => {
    const scu = await associate({ port: dimse.port, maximumLength: 1 });
    expect((await scu.echo()).status).toBe(0);
    await scu.release();
  });
});

describe('an association is refused', () => {
  it.each([
    ['that calls somebody else', { called: 'OTHER' }, { result: 1, source: 1, reason: 7 }],
    ['of a title nobody registered', { calling: 'NOBODY' }, { result: 1, source: 1, reason: 3 }],
    ['without a title', { calling: '' }, { result: 1, source: 1, reason: 3 }],
    ['of a title that would be a search', { calling: 'TEST_PACS,OTHER' }, { result: 1, source: 1, reason: 3 }],
    ['of another application', { applicationContext: '1.2.3' }, { result: 1, source: 1, reason: 2 }],
    ['of another protocol', { protocolVersion: 2 }, { result: 1, source: 2, reason: 2 }],
  ])('%s, with its reason, and the trail says so', async (_, options, expected) => {
    const before = (await archive.events('platform', 'dimse:associate')).length;
    expect(await refusal(options)).toEqual(expected);
    const told = (await archive.events('platform', 'dimse:associate')).slice(before);
    expect(told).toMatchObject([{ outcome: '8', type: { code: '110113' } }]);
    expect(told[0]?.subtype?.map(({ code }) => code)).toContain('110126');
    expect(JSON.stringify(told)).toContain('127.0.0.1');
  });

  it('of a title that two establishments have', async () => {
    await archive.register('bb', 'twice', 'TWICE', 'ch-x');
    await archive.register('aa', 'twice', 'TWICE', 'ch-a');
    expect(await refusal({ calling: 'TWICE' })).toEqual({ result: 1, source: 1, reason: 3 });
  });

  it('of a registered title that does not come from where it is listed', async () => {
    const peersOf = (text: string) => {
      const { peers } = loadConfig({ DIMSE_PEERS: text }).dicom;
      if (!peers) throw new Error('no peers');
      return peers;
    };
    const elsewhere = await archive.listen({ peers: peersOf('TEST_PACS=10.1.0.0/16,OTHER_PACS=127.0.0.0/8') });
    expect(await refusal({ port: elsewhere.port })).toEqual({ result: 1, source: 1, reason: 3 });
    const listed = await associate({ port: elsewhere.port, calling: 'OTHER_PACS' });
    expect((await listed.echo()).status).toBe(0);
    await listed.release();
  });

  it('for now when there are too many of one address, and there is room again when one has ended', async () => {
    const narrow = await archive.listen({ limits: { associationsOfOne: 2 } });
    const open = [await associate({ port: narrow.port }), await associate({ port: narrow.port })];
    expect(await refusal({ port: narrow.port })).toEqual({ result: 2, source: 3, reason: 2 });
    await open[0]?.release();
    await expect
      .poll(() =>
        associate({ port: narrow.port }).then(
          (scu) => scu.release(),
          () => undefined,
        ),
      )
      .toMatchObject({ type: 6 });
    await open[1]?.release();
  });

  it('unheard once its address was refused too often, which is not told again and again', async () => {
    const strict = await archive.listen({ limits: { refusalsOfOne: 3 } });
    const before = (await archive.events('platform', 'dimse:associate')).length;
    for (let n = 0; n < 3; n++) expect((await refusal({ port: strict.port, calling: 'NOBODY' })).result).toBe(1);
    for (let n = 0; n < 5; n++) expect((await refusal({ port: strict.port })).result).toBe(2);
    expect((await archive.events('platform', 'dimse:associate')).length).toBe(before + 3);
  });

  it('for now while the database is away', async () => {
    const { access } = archive;
    const away = { ...access, recordActivity: () => Promise.reject(new Error('away')) };
    const blind = await archive.listen({ access: away });
    expect(await refusal({ port: blind.port })).toEqual({ result: 2, source: 3, reason: 1 });
  });
});

it('only the demonstration takes an unknown title from its own machine, as the demonstration hospital', async () => {
  const open = await archive.listen({ acceptUnknownLoopback: { tenant: 'aa', organizationId: 'ch-a' } });
  const contexts = [{ abstractSyntax: ctClass, transferSyntaxes: [explicitLe] }];
  const scu = await associate({ port: open.port, calling: 'WHOEVER', contexts });
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7101', slices: 1 });
  expect((await scu.store(file)).status).toBe(0);
  await scu.release();
  const [study] = await archive.store.search('aa', 'ImagingStudy', 'identifier=urn:dicom:uid|urn:oid:2.25.7101');
  expect(JSON.stringify(study?.meta?.security)).toContain('ch-a');
});

it('closing answers the message being handled, aborts what is idle, and takes nobody more', async () => {
  const brief = await archive.listen();
  const idle = await associate({ port: brief.port });
  const busy = await associate({
    port: brief.port,
    contexts: [{ abstractSyntax: ctClass, transferSyntaxes: [explicitLe] }],
  });
  let closing: Promise<void> | undefined;
  archive.imaging.onStudy(async ({ identity }) => {
    if (identity.studyInstanceUid === '2.25.7102') closing ??= brief.close();
  });
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7102', slices: 1 });
  expect((await busy.store(file)).status).toBe(0);
  expect((await busy.next())?.type).toBe(7);
  busy.socket.end();
  expect(await idle.next()).toBeUndefined();
  await closing;
  await expect(associate({ port: brief.port })).rejects.toThrow();
});
