import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { barriersOf } from '../ui/barriers.ts';
import { browserPath, launchBrowser } from '../ui/browser.ts';
import { complaintsOf } from '../ui/complaints.ts';

const password = 'Nuit-de-garde-2026';

/** A radio draws its ring on its label, the embedded PDF has its own, the page itself needs none. */
const focusScript = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return { name: '', isSeen: true };
  const name = element.getAttribute('aria-label') ?? element.labels?.[0]?.innerText ?? element.innerText ?? '';
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const ringed = (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
  return { name, isSeen: ringed || element.type === 'radio' || ['MAIN', 'IFRAME'].includes(element.tagName) };
})()`;

/** What the keyboard is on: its accessible name, and whether one sees that it has the focus. */
const focused = async (page: Page) => (await page.evaluate(focusScript)) as { name: string; isSeen: boolean };

/** Tab until something of that name has the focus: whatever is passed must be visibly focused, and nothing may hold the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let step = 0; step < 150; step++) {
    const now = await focused(page);
    expect(now.isSeen, `no ring on « ${now.name} »`).toBe(true);
    if (name.test(now.name)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard never comes to ${name}`);
}

async function press(page: Page, name: RegExp): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

async function write(page: Page, field: RegExp, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

/** A case as people of both sides walk through it, on what `npm start` gives. */
describe.skipIf(browserPath() === undefined)('a case in the browser', () => {
  let server: ChildServer;
  let browser: Browser;
  const complaints: string[] = [];
  const pages = new Map<string, Page>();

  beforeAll(async () => {
    server = await startChildServer({ DEMO_PASSWORD: password }, undefined, 'start');
    browser = (await launchBrowser()) as Browser;
  }, 180_000);
  afterEach(async () => {
    expect(complaints.splice(0)).toEqual([]);
    for (const [account, page] of pages) expect(await barriersOf(page), account).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Signed in by the keyboard alone; the same page when somebody comes back. */
  async function as(account: string): Promise<Page> {
    const known = pages.get(account);
    if (known) return known;
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    complaintsOf(page, complaints);
    await page.goto(server.httpUrl);
    await page.getByLabel('Identifiant').waitFor();
    await write(page, /^Identifiant/, account);
    await write(page, /^Mot de passe/, password);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Navigation principale' }).waitFor();
    pages.set(account, page);
    return page;
  }
  /** From the list of every case. */
  async function open(page: Page, row: RegExp | string): Promise<void> {
    await page.goto(server.httpUrl);
    await page.getByText('Tous', { exact: true }).click();
    await page.getByRole('row').filter({ hasText: row }).first().click();
    await page.getByRole('link', { name: 'Retour à la liste de travail' }).waitFor();
  }

  it('is taken, read, announced by telephone and shown as provisional without a mouse; the site sees what is provisional', async () => {
    const page = await as('radiologue');
    await page.getByRole('row', { name: /TEST-MOREAU/ }).waitFor();
    await press(page, /^Dossier de TEST-MOREAU/);
    await page.getByLabel('Protocole demandé au manipulateur').waitFor();
    await write(page, /^Protocole demandé/, 'TDM cérébral sans injection.');
    await press(page, /^Accepter et envoyer/);
    // The simulated hospital does the exam.
    await page.getByRole('button', { name: 'Prendre le dossier' }).waitFor({ timeout: 60_000 });
    await press(page, /^Prendre le dossier/);
    await page.getByRole('textbox', { name: 'Conclusion' }).waitFor();

    await press(page, /^Échange téléphonique/);
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(async () => (await focused(page)).name).toBe('Échange téléphonique');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await write(page, /^Interlocuteur/, 'Dr ALIX TEST-RADIOLOGUE');
    await write(page, /^Résumé/, 'Hématome annoncé à l’urgentiste.');
    await press(page, /^Échange téléphonique/);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(async () => (await focused(page)).name).toBe('Échange téléphonique');

    await tabTo(page, /^Image de la série/);
    await page.keyboard.press('ArrowDown');
    await page
      .getByTestId('compteur-images')
      .getByText(/image 2 /)
      .waitFor();
    await write(page, /^Technique/, 'Acquisition hélicoïdale sans injection. PDL 890 mGy.cm.');
    await write(page, /^Résultats/, 'Hyperdensité spontanée frontale.');
    await write(page, /^Conclusion/, 'Hématome intraparenchymateux frontal.');
    await page.getByText('Brouillon enregistré').waitFor();
    await press(page, /^Émettre en provisoire/);
    await page.getByText('Provisoire montré au site.').waitFor();

    const site = await as('demandeur');
    await open(site, 'TEST-MOREAU');
    await site.getByText('Ni signé ni définitif', { exact: false }).waitFor();
    await site.getByText('Hématome intraparenchymateux frontal.').waitFor();
    expect(await site.getByRole('button', { name: 'Voir le PDF' }).count()).toBe(0);
  }, 180_000);

  it('is signed without a mouse, and the keyboard is not lost in the dialogs', async () => {
    const page = await as('radiologue');
    await press(page, /^Signer…/);
    await page.getByRole('dialog', { name: 'Signer le compte rendu' }).waitFor();
    await press(page, /^Signer et envoyer/);
    await page.getByRole('button', { name: 'Voir le PDF' }).waitFor();
    await page
      .getByText(/Compte rendu signé/)
      .first()
      .waitFor();
    await press(page, /^Voir le PDF/);
    await page.getByTitle('Compte rendu signé (PDF)').waitFor();
    // Through the reader of the PDF and out of it again.
    await tabTo(page, /^Télécharger le PDF/);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(async () => (await focused(page)).name).toBe('Voir le PDF');
    await page
      .getByText(/Le logiciel du site en a accusé réception/)
      .nth(1)
      .waitFor();
  }, 120_000);

  it('that was an error is declared by one, confirmed by another who sees no patient, and withdrawn from the site', async () => {
    const page = await as('radiologue');
    await press(page, /^Autres actions/);
    await press(page, /^Déclarer une erreur/);
    await page.getByRole('dialog').waitFor();
    await write(page, /^En quoi le dossier est erroné/, 'Compte rendu dicté pour un autre patient');
    await press(page, /^Déclarer une erreur/);
    await page.getByText(/Dossier déclaré erroné par .* doit le confirmer/).waitFor();

    const quality = await as('qualite');
    await open(quality, 'Reçu par le site');
    await quality.getByText(/Dossier déclaré erroné par/).waitFor();
    expect(await quality.locator('main').innerText()).not.toContain('MOREAU');
    expect(await quality.getByRole('alert').count()).toBe(0);
    await quality.getByText('Autres actions').click();
    await quality.getByRole('button', { name: 'Confirmer l’erreur' }).click();
    await quality.getByRole('dialog').getByRole('textbox').fill('Compte rendu dicté pour un autre patient');
    await quality.getByRole('dialog').getByRole('button', { name: 'Confirmer l’erreur' }).click();
    await quality.getByText('Erronée', { exact: true }).waitFor();

    const site = await as('demandeur');
    await open(site, 'TEST-MOREAU');
    await site.getByText(/retirez-le/).waitFor();
    await site.getByText(/ANNULÉ, dossier erroné/).waitFor();
    await site.getByText('annulé auprès du site').waitFor({ timeout: 40_000 });
    await site.getByText('Annulation du compte rendu').waitFor();
    expect(await site.getByText(/doit le confirmer/).count()).toBe(0);
  }, 120_000);

  it('has the checklist of a serious diagnosis, filled in by both sides and closed when what is owed is done', async () => {
    const reader = await as('radiologue');
    await open(reader, 'TEST-LEFEVRE');
    await reader.getByText('Annonce d’un diagnostic grave').click();
    await reader.getByRole('button', { name: 'Ouvrir la liste de vérification' }).click();
    await reader.getByRole('button', { name: 'Clore la liste' }).click();
    await reader.getByText(/reste à faire avant de clore la liste/).waitFor();
    await reader.getByLabel(/Le diagnostic évoqué lui a été dit/).check();
    await reader.getByLabel(/Médecin qui fera l’annonce/).fill('Dr ALIX TEST-RADIOLOGUE');
    await reader.getByRole('button', { name: 'Enregistrer', exact: true }).click();
    await reader.getByText(/^Enregistrée par/).waitFor();

    const site = await as('demandeur');
    await open(site, 'TEST-LEFEVRE');
    await site.getByLabel(/ni lisible par lui en ligne/).check();
    await site.getByLabel(/Prévu sans délai inutile/).check();
    await site.getByLabel(/peut être accompagné/).check();
    await site.getByLabel('Date et heure de l’annonce').fill('2026-11-23T09:30');
    await site.getByRole('button', { name: 'Clore la liste' }).click();
    await site.getByRole('button', { name: 'Clore la liste' }).waitFor({ state: 'detached' });

    await reader.reload();
    await reader.getByText('Annonce d’un diagnostic grave').click();
    await reader.getByText(/^Close par/).waitFor();
    expect(await reader.getByLabel(/Médecin qui fera l’annonce/).inputValue()).toBe('Dr ALIX TEST-RADIOLOGUE');
    expect(await reader.getByLabel('Remarques').isDisabled()).toBe(true);
  }, 120_000);
});
