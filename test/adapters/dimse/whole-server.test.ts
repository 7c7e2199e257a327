import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storeClient } from '../../../src/access/smart/registration.ts';
import { systemClock } from '../../../src/config/index.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import { signedByItself } from '../../security/machines/certificates.ts';
import { openWholeServer, type WholeServer, writeCertificate } from '../../security/surface/whole-server.ts';
import { associate, Rejected } from './scu.ts';

const pacs = signedByItself('pacs-whole');
let folder: string;
let paths: { cert: string; key: string };
let ca: string;
let whole: WholeServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-dimses-'));
  paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  ca = await writeCertificate(paths);
  whole = await openWholeServer({
    ...{ TLS_CERT: paths.cert, TLS_KEY: paths.key, TLS_CLIENT_CERTIFICATES: 'optional' },
    ...{ DIMSE_PORT: '0', DIMSES_PORT: '0', DIMSE_AE: 'ARCHIVE', DIMSE_PEERS: 'CT1=127.0.0.0/8' },
  });
  const { database, store } = whole.server;
  await store.transaction(systemContext('aa', 'system:test', systemClock), async (tx) => {
    await tx.update({ resourceType: 'Organization', id: 'ch-a', name: 'CH A' });
    for (const title of ['CT1', 'PACS_A'])
      await tx.update({
        ...{ resourceType: 'Device', id: title.toLowerCase().replace('_', '-'), status: 'active' },
        identifier: [{ system: 'https://fhir.passerelle.example/sid/dicom-ae-title', value: title }],
        owner: { reference: 'Organization/ch-a' },
      });
  });
  await storeClient(
    { database, now: new Date(), keyHosts: [], parametersOf: () => [] },
    {
      ...{ tenant: 'aa', id: 'pacs-a', kind: 'backend', display: 'pacs-a', organizationId: 'ch-a' },
      ...{ scopes: ['system/ImagingStudy.c'], redirectUris: [], certificates: [pacs.fingerprint] },
    },
  );
});
afterAll(async () => {
  await whole.close();
  await rm(folder, { recursive: true, force: true });
});

const plain = (calling: string) => associate({ port: whole.server.dimsePort ?? 0, called: 'ARCHIVE', calling });
const secure = (trusted = ca) =>
  associate({
    ...{ port: whole.server.dimsesPort ?? 0, called: 'ARCHIVE', calling: 'PACS_A' },
    tls: { ca: trusted, servername: 'localhost', cert: pacs.cert, key: pacs.key },
  });

it('the server takes listed titles in clear and certified ones over TLS, under the title it is given', async () => {
  const scu = await plain('CT1');
  expect((await scu.echo()).status).toBe(0);
  await scu.release();
  await expect(plain('PACS_A')).rejects.toThrow(Rejected);
  const certified = await secure();
  expect((await certified.echo()).status).toBe(0);
  await certified.release();
});

it('a certificate that is replaced on the disk is shown to the next association, and the one that is open goes on', async () => {
  const open = await secure();
  const renewed = await writeCertificate(paths);
  await whole.server.reload();
  await expect(secure(ca)).rejects.toThrow();
  const next = await secure(renewed);
  expect((await next.echo()).status).toBe(0);
  expect((await open.echo()).status).toBe(0);
  await Promise.all([next.release(), open.release()]);
});

it('nobody is served in clear where nobody asked for it', async () => {
  const quiet = await openWholeServer({ DIMSE_PORT: '' });
  expect(quiet.server.dimsePort).toBeUndefined();
  expect(quiet.server.dimsesPort).toBeUndefined();
  await quiet.close();
});
