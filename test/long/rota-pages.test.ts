import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { barriersOf } from '../ui/barriers.ts';
import { browserPath, launchBrowser } from '../ui/browser.ts';
import { complaintsOf } from '../ui/complaints.ts';

const password = 'Tableau-de-garde-2026';

/** Rotas, certificates, exclusion and whom to call, as coordinators, administrators and telephone operators use them. */
describe.skipIf(browserPath() === undefined)('the pages of the rota in a browser', () => {
  let server: ChildServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await startChildServer({ DEMO_PASSWORD: password }, undefined, 'start');
    browser = (await launchBrowser()) as Browser;
  }, 180_000);
  afterEach(async () => expect(await barriersOf(page)).toEqual([]));
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const signIn = async (account: string): Promise<void> => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    complaintsOf(page, complaints, { answers: true });
    await page.goto(server.httpUrl);
    await page.getByLabel('Identifiant').fill(account);
    await page.getByRole('textbox', { name: 'Mot de passe' }).fill(password);
    await page.getByRole('button', { name: 'Se connecter' }).click();
    await page.getByRole('navigation', { name: 'Navigation principale' }).waitFor();
  };
  const open = (name: string) => page.getByRole('link', { name, exact: true }).click();

  it('a coordinator plans three nights of a month ahead, and publishes them', async () => {
    await signIn('coordonnateur');
    await open('Gardes');
    for (let month = 0; month < 3; month++) {
      const before = await page.getByRole('heading', { level: 1 }).textContent();
      await page.getByRole('button', { name: 'Mois suivant' }).click();
      await page
        .getByRole('heading', { level: 1 })
        .filter({ hasNotText: before ?? '' })
        .waitFor();
    }
    await page.getByText('Non publié.').waitFor();
    await page
      .getByRole('button', { name: /Ajouter une garde : Radiologue/ })
      .nth(9)
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Qui' }).click();
    await page.getByRole('option', { name: 'Dr NOA TEST-TELERADIO' }).click();
    await dialog.getByRole('combobox', { name: 'Jusqu’au' }).click();
    await page.getByRole('option').nth(2).click();
    await dialog.getByRole('button', { name: 'Planifier 3 gardes' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await expect.poll(() => page.getByText('provisoire').count()).toBe(3);
    await page.getByRole('button', { name: 'Publier' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Publier' }).click();
    await page.getByText('Publié le').waitFor();
    expect(await page.getByText('provisoire').count()).toBe(0);
    expect(await page.getByText(/le tableau de garde de .* est publié, 3 garde/).count()).toBe(1);
  });

  it('whoever asks sees the radiologist on duty; once excluded, the coordinator is called', async () => {
    await open('Qui est de garde');
    const first = page.locator('.on-duty-first');
    await first.waitFor();
    expect(await first.textContent()).toMatch(/Radiologue Dr .* 01 99 00 00 \d\d jusqu’(à|au) /);
    const name = (await first.locator('strong').textContent()) ?? '';
    await open('Radiologues');
    const row = page.getByRole('row', { name });
    await row.getByText('de garde').waitFor();
    await row.getByRole('button', { name: 'Exclure' }).click();
    await page.getByLabel('Motif').fill('Décision de la direction');
    await page.getByRole('button', { name: 'Exclure maintenant' }).click();
    await row.getByText('exclu').waitFor();
    await open('Qui est de garde');
    await page.getByText('Aucun radiologue de garde en ce moment.').waitFor();
    await page.locator('.on-duty-first').getByText('ANDREA TEST-COORD').waitFor();
    await open('Radiologues');
    await row.getByRole('button', { name: 'Rétablir' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rétablir' }).click();
    await row.getByText('de garde').waitFor();
  });

  it('an administrator records a certificate with its scan, and its end has its colour', async () => {
    await signIn('admin');
    await open('Radiologues');
    const row = page.getByRole('row', { name: 'Dr EDEN TEST-GARDE' });
    await row.getByRole('button', { name: 'Qualifications' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Téléphone de garde').fill('0199000099');
    await dialog.getByRole('button', { name: 'Enregistrer les coordonnées' }).click();
    await row.getByText('01 99 00 00 99').waitFor();
    await dialog.getByLabel('Numéro').fill('ATT-2036');
    await dialog.locator('input[name=end]').fill('2036-12-31');
    const scan = { name: 'attestation.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 essai') };
    await dialog.locator('input[type=file]').setInputFiles(scan);
    await dialog.getByRole('button', { name: 'Enregistrer', exact: true }).click();
    await dialog.getByRole('cell', { name: 'ATT-2036' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Assurance : attestation.pdf' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('attestation.pdf');
    await page.keyboard.press('Escape');
    expect(await row.locator('.expiry-valid').count()).toBe(4);
    await row.getByText('31/12/2036').waitFor();
  });

  it('nothing was refused and nothing failed on the way', () => {
    expect(complaints).toEqual([]);
  });
});
