import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';

const notice = {
  editor: { name: 'GCS Imagerie', address: '1 rue du Port, 69000 Lyon', director: 'Dr X' },
  host: { name: 'Hébergeur', address: '2 rue du Parc, 75000 Paris', certificate: 'HDS 2026-01' },
  dpo: { name: 'Mme Y', mail: 'dpo@gcs.example' },
};

async function load(content: unknown) {
  const file = join(await mkdtemp(join(tmpdir(), 'passerelle-')), 'legal.json');
  await writeFile(file, JSON.stringify(content));
  return loadConfig({ LEGAL_NOTICE: file }).legalNotice;
}

describe('the file of the legal notice', () => {
  it('says who publishes, who hosts and who protects the data', async () => {
    expect(await load(notice)).toMatchObject(notice);
    expect(loadConfig({}).legalNotice).toBeUndefined();
  });

  it.each([
    [{ ...notice, dpo: undefined }, 'dpo : il faut un objet'],
    [{ ...notice, host: { ...notice.host, certificate: undefined } }, 'host.certificate : il faut un texte'],
    [{ ...notice, editor: { ...notice.editor, capital: 'x' } }, 'editor.capital : ce réglage n’existe pas'],
  ])('refuses a notice that leaves out what the law wants', async (content, message) => {
    await expect(load(content)).rejects.toThrow(message);
  });

  it('says when the file is not there', () => {
    expect(() => loadConfig({ LEGAL_NOTICE: '/nowhere.json' })).toThrow('fichier illisible (ENOENT)');
  });
});
