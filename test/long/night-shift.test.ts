import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { barriersOf } from '../ui/barriers.ts';
import { browserPath, launchBrowser } from '../ui/browser.ts';
import { complaintsOf } from '../ui/complaints.ts';

const password = 'Nuit-de-garde-2026';
/** Pictures of the screens go here when asked for (`SCREENSHOTS=docs/images`), else nowhere that stays. */
const pictures = process.env.SCREENSHOTS;

/** What `npm start` gives a person, used as a person would: the simulated hospital plays the other side. */
describe.skipIf(browserPath() === undefined)('a night shift in the browser', () => {
  let server: ChildServer;
  let browser: Browser;
  let page: Page;
  let folder: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = pictures ?? (await mkdtemp(join(tmpdir(), 'passerelle-night-')));
    await mkdir(folder, { recursive: true });
    server = await startChildServer({ DEMO_PASSWORD: password }, undefined, 'start');
    browser = (await launchBrowser()) as Browser;
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    if (!pictures) await rm(folder, { recursive: true, force: true });
  });

  /** Every screen shown in the guides is one that keeps nobody out. */
  const picture = async (name: string) => {
    await page.screenshot({ path: join(folder, `${name}.png`) });
    expect(await barriersOf(page), name).toEqual([]);
  };
  const signIn = async (account: string): Promise<void> => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    complaintsOf(page, complaints);
    await page.goto(server.httpUrl);
    await page.getByLabel('Identifiant').fill(account);
    await page.getByRole('textbox', { name: 'Mot de passe' }).fill(password);
    if (account === 'radiologue') await picture('connexion');
    await page.getByRole('button', { name: 'Se connecter' }).click();
  };

  it('goes from the waiting requests to a report the hospital acknowledged', async () => {
    await signIn('radiologue');
    const row = page.getByRole('row', { name: /TEST-MOREAU/ });
    await row.waitFor();
    for (const name of [/TEST-LEFEVRE/, /TEST-D'ALMEIDA/, /TEST-INCONNUE/]) {
      await page.getByRole('row', { name }).waitFor();
    }
    await picture('liste-de-travail');

    await row.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /TEST-MOREAU/ }).waitFor();
    await page.getByLabel('Protocole demandé au manipulateur').fill('TDM cérébral sans injection, coupes 1 mm.');
    await picture('protocole');
    await page.getByRole('button', { name: 'Accepter et envoyer le protocole' }).click();

    // The hospital examines; its images appear while they arrive.
    await page
      .getByTestId('compteur-images')
      .getByText(/image 1 \/ \d+/)
      .waitFor();
    await page.getByTestId('compteur-images').getByText('image 1 / 40').waitFor();
    const claim = page.getByRole('button', { name: 'Prendre le dossier' });
    await claim.waitFor();
    await claim.click();

    await page.getByRole('slider', { name: /Image de la série/ }).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByTestId('compteur-images').getByText('image 2 / 40').waitFor();
    for (let slice = 3; slice <= 24; slice++) {
      await page.keyboard.press('ArrowDown');
      await page.getByTestId('compteur-images').getByText(`image ${slice} / 40`).waitFor();
    }
    await page.getByRole('button', { name: 'Cerveau', exact: true }).click();

    await page.getByRole('button', { name: 'Échange téléphonique' }).click();
    await page.getByLabel('Interlocuteur').fill('Dr ALIX TEST-RADIOLOGUE');
    await page.getByLabel('Résumé de l’échange').fill('Hématome annoncé à l’urgentiste.');
    await page.getByRole('dialog').getByRole('button', { name: 'Échange téléphonique' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });

    await page.getByLabel('Technique').fill('Acquisition hélicoïdale sans injection. PDL 890 mGy.cm.');
    await page
      .getByRole('textbox', { name: 'Résultats' })
      .fill('Hyperdensité spontanée frontale, sans effet de masse. Ligne médiane en place.');
    await page.getByRole('textbox', { name: 'Conclusion' }).fill('Hématome intraparenchymateux frontal.');
    await page.getByRole('combobox', { name: 'Acte CCAM validé' }).click();
    await page.getByRole('option').first().click();
    await page.getByText('Brouillon enregistré').waitFor();
    await picture('dossier-lecture');

    await page.getByRole('button', { name: 'Signer…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Signer le compte rendu' });
    expect(await dialog.textContent()).toContain('TEST-MOREAU');
    await picture('signature');
    await dialog.getByRole('button', { name: 'Signer et envoyer' }).click();
    await page.getByRole('button', { name: 'Voir le PDF' }).waitFor();
    await page
      .getByText(/Le logiciel du site en a accusé réception/)
      .first()
      .waitFor();
    await picture('dossier-rendu');
    await page.getByRole('button', { name: 'Voir le PDF' }).click();
    await page.getByTitle('Compte rendu signé (PDF)').waitFor();
    expect(complaints).toEqual([]);
    expect(await page.getByRole('list', { name: 'Horodatages du dossier' }).textContent()).toContain(
      'Interprétation reçue',
    );
  });

  it('lets the auditor read who opened what', async () => {
    await signIn('auditeur');
    await page.getByRole('link', { name: 'Journal' }).click();
    await page
      .getByRole('row')
      .filter({ hasText: /TEST-TELERADIO/ })
      .first()
      .waitFor();
    await picture('journal');
  });

  it('shows the requester the report of their patient', async () => {
    await signIn('demandeur');
    await page.getByText('Tous', { exact: true }).click();
    await page.getByRole('row', { name: /TEST-MOREAU/ }).click();
    await page.getByRole('heading', { name: /TEST-MOREAU/ }).waitFor();
    await page.getByRole('button', { name: 'Voir le PDF' }).waitFor();
    await picture('demandeur');
  });
});
