import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { legalNoticeRoutes } from '../../src/access/legal-notice/index.ts';
import type { LegalNotice } from '../../src/config/index.ts';

const nothing = { telephone: undefined, mail: undefined };
const notice: LegalNotice = {
  editor: {
    ...{ ...nothing, name: 'GCS <Imagerie>', address: '1 rue du Port, 69000 Lyon', director: 'Dr X' },
    ...{ legalForm: undefined, registration: 'SIREN 123 456 789' },
  },
  host: { ...nothing, name: 'Hébergeur', address: '2 rue du Parc', certificate: 'HDS n° 2026-01' },
  dpo: { name: 'Mme Y', mail: 'dpo@gcs.example', address: undefined },
};

async function ask(url: string, given?: LegalNotice) {
  const app = fastify();
  await app.register(legalNoticeRoutes, { notice: given });
  return app.inject({ url });
}

describe('the legal notice', () => {
  it('says who publishes, who hosts with which certificate, and whom to ask about one’s data', async () => {
    const { body, headers } = await ask('/mentions-legales', notice);
    expect(headers['content-type']).toContain('text/html');
    expect(body).toContain('<html lang="fr">');
    for (const text of ['Dr X', 'SIREN 123 456 789', 'HDS n° 2026-01', 'mailto:dpo@gcs.example']) {
      expect(body).toContain(text);
    }
    expect(body).not.toContain('undefined');
  });

  it('shows what was written as text', async () => {
    const { body } = await ask('/mentions-legales', notice);
    expect(body).toContain('GCS &#60;Imagerie&#62;');
  });

  it('says so when nobody wrote it', async () => {
    expect((await ask('/mentions-legales')).body).toContain('n’a pas encore renseigné');
  });

  it('needs no inline style and no script', async () => {
    const { body } = await ask('/mentions-legales', notice);
    expect(body).not.toMatch(/<style|<script|style=/);
    expect((await ask('/mentions-legales.css')).headers['content-type']).toContain('text/css');
  });
});
