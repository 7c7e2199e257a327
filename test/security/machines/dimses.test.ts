import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNodes } from '../../../src/access/index.ts';
import { setClientDisabled, storeClient } from '../../../src/access/smart/registration.ts';
import { tlsProtocol } from '../../../src/access/tls/index.ts';
import type { Dimse } from '../../../src/adapters/dimse/index.ts';
import { type Archive, openArchive } from '../../adapters/dimse/archive.ts';
import { associate, ctClass, explicitLe, Rejected } from '../../adapters/dimse/scu.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { type Pair, signedByItself } from './certificates.ts';

const own = signedByItself('pacs-own');
const other = signedByItself('pacs-other');
const abroad = signedByItself('pacs-abroad');
const letters = signedByItself('ris-letters');
const unknown = signedByItself('pacs-unknown');
let tls = selfSigned(['localhost']);
let archive: Archive;
let dimses: Dimse;
const renewable: { setSecureContext(options: object): void }[] = [];

beforeAll(async () => {
  archive = await openArchive();
  const { database, store, access, clock } = archive;
  const registry = { database, now: new Date(), keyHosts: [], parametersOf: store.searchParameters };
  for (const { id, tenant = 'aa', organizationId, pair, scope = 'system/ImagingStudy.c' } of [
    { id: 'own', organizationId: 'ch-a', pair: own },
    { id: 'other', organizationId: 'ch-b', pair: other },
    { id: 'abroad', tenant: 'bb', organizationId: 'ch-a', pair: abroad },
    { id: 'letters', organizationId: 'ch-a', pair: letters, scope: 'system/Task.cruds' },
  ]) {
    await storeClient(registry, {
      ...{ tenant, id, kind: 'backend', display: id, organizationId },
      ...{ scopes: [scope], redirectUris: [], certificates: [pair.fingerprint] },
    });
  }
  const nodes = createNodes({
    ...{ database, recordActivity: access.recordActivity, required: true },
    now: () => clock.now(),
    realNow: () => new Date(),
  });
  dimses = await archive.listen({
    secured: {
      tls: { options: () => ({ ...tls, ...tlsProtocol }), follow: (server) => void renewable.push(server) },
      nodes,
    },
    limits: { believedMs: 0 },
  });
});
afterAll(() => archive.close());

function open(pair?: Pair, calling = 'TEST_PACS', also: object = {}) {
  const client = pair ? { cert: pair.cert, key: pair.key } : {};
  return associate({
    ...{ port: dimses.port, calling },
    contexts: [{ abstractSyntax: ctClass, transferSyntaxes: [explicitLe] }],
    tls: { ca: tls.cert, servername: 'localhost', ...client, ...also },
  });
}

async function refusalOf(opening: Promise<unknown>): Promise<Rejected['answer']> {
  const outcome = await opening.catch((error: unknown) => error);
  if (!(outcome instanceof Rejected)) throw new Error('not rejected');
  return outcome.answer;
}

const unheard = { result: 1, source: 1, reason: 3 };

test('a PACS that shows the certificate of its establishment stores a study over TLS, and the trail names certificate and title', async () => {
  const files = smallCt({ studyUid: '2.25.7301', slices: 2 });
  const scu = await open(own);
  for (const file of files) expect((await scu.store(file)).status).toBe(0);
  await scu.release();
  const [study] = await archive.store.search('aa', 'ImagingStudy', 'identifier=urn:dicom:uid|urn:oid:2.25.7301');
  expect(study?.numberOfInstances).toBe(2);
  const told = JSON.stringify(await archive.events('aa', 'dimse:associate'));
  expect(told).toContain(own.fingerprint);
  expect(told).toContain('TEST_PACS');
});

test('no certificate, one nobody registered, one of another establishment or tenant: refused, and told as node authentication', async () => {
  const before = (await archive.events('aa', 'dimse:associate')).length;
  for (const pair of [undefined, unknown, other, abroad]) expect(await refusalOf(open(pair))).toEqual(unheard);
  const told = (await archive.events('aa', 'dimse:associate')).slice(before);
  expect(told.map(({ outcome }) => outcome)).toEqual(['8', '8', '8', '8']);
  for (const { subtype } of told) expect(subtype?.map(({ code }) => code)).toContain('110126');
});

test('a certificate of the establishment whose machine was granted no images stores none', async () => {
  expect(await refusalOf(open(letters))).toEqual(unheard);
  const told = (await archive.events('aa', 'dimse:associate')).at(-1);
  expect(told?.outcomeDesc).toContain('scopes of letters');
});

test('a certificate gives no title: one that is not registered, or is of another establishment, stays refused', async () => {
  expect(await refusalOf(open(own, 'NOBODY'))).toEqual(unheard);
  expect(await refusalOf(open(own, 'OTHER_PACS'))).toEqual(unheard);
  const right = await open(other, 'OTHER_PACS');
  expect((await right.release())?.type).toBe(6);
});

test('a client that is shut off stores nothing more, in the middle of its association', async () => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7302', slices: 2 });
  const scu = await open(own);
  expect((await scu.store(first)).status).toBe(0);
  await setClientDisabled(archive.database, 'own', true, new Date());
  expect((await scu.store(second)).status).toBe(0x0124);
  await scu.release();
  expect(await refusalOf(open(own))).toEqual(unheard);
  await setClientDisabled(archive.database, 'own', false, new Date());
  expect((await (await open(own)).release())?.type).toBe(6);
});

test('plain DICOM is not spoken here, TLS 1.2 is', async () => {
  await expect(associate({ port: dimses.port })).rejects.toThrow();
  const good = await open(own, 'TEST_PACS', { maxVersion: 'TLSv1.2' });
  expect((await good.release())?.type).toBe(6);
});

test('a certificate of ours that is replaced counts for the next association, without a restart', async () => {
  const old = await open(own);
  const before = tls;
  tls = selfSigned(['localhost']);
  for (const server of renewable) server.setSecureContext({ ...tls, ...tlsProtocol });
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7303', slices: 1 });
  expect((await old.store(file)).status).toBe(0);
  await old.release();
  await expect(open(own, 'TEST_PACS', { ca: before.cert })).rejects.toThrow();
  expect((await (await open(own)).release())?.type).toBe(6);
});
