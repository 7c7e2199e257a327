/** The night in Firefox ESR (UI-2): hospitals have it where they have no Chromium. Skipped by name where it is not installed. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { type Firefox, type FirefoxPage, firefoxPath, launchFirefox } from '../ui/firefox.ts';

const password = 'Nuit-de-garde-2026';
const path = firefoxPath();
/** Where a picture of the end goes when asked for. */
const picture = process.env.SCREENSHOT;

/** Expressions of the page: what a person would look for. */
const field = (label: string) =>
  `[...document.querySelectorAll('label')].find((each) => each.textContent.startsWith(${JSON.stringify(label)}) && each.control?.offsetParent)?.control`;
const button = (name: string, within = 'document') =>
  `[...(${within}).querySelectorAll('button')].find((each) => each.textContent.trim() === ${JSON.stringify(name)} && !each.disabled)`;
const row = (name: string) =>
  `[...document.querySelectorAll('[role=row], tr')].find((each) => each.textContent.includes(${JSON.stringify(name)}))`;
const shows = (text: string) => `document.body.innerText.includes(${JSON.stringify(text)})`;
const images = (text: string) =>
  `document.querySelector('[data-testid=compteur-images]')?.textContent.includes(${JSON.stringify(text)})`;
const dialog = `document.querySelector('[role=dialog]')`;
const enter = '\uE007';
const arrowDown = '\uE015';

describe.skipIf(path === undefined)('a case in Firefox ESR (not here: no Firefox is installed)', () => {
  let server: ChildServer;
  let firefox: Firefox;
  let page: FirefoxPage;

  beforeAll(async () => {
    server = await startChildServer({ DEMO_PASSWORD: password }, undefined, 'start');
    firefox = await launchFirefox(path!);
    page = firefox.page;
  }, 180_000);
  afterAll(async () => {
    await firefox?.close();
    await server?.stop();
  });

  const fill = async (label: string, text: string) => {
    await page.click(field(label));
    await page.type(text);
  };

  it('goes from the request through its images to a signed report', async () => {
    await page.go(server.httpUrl);
    await fill('Identifiant', 'radiologue');
    await fill('Mot de passe', password);
    await page.type(enter);
    await page.click(row('TEST-MOREAU'));
    await fill('Protocole demandé au manipulateur', 'TDM sans injection.');
    await page.click(button('Accepter et envoyer le protocole'));

    await page.until(images('image 1 / 40'));
    await page.click(button('Prendre le dossier'));
    await page.until(field('Technique'));
    await page.evaluate(`document.querySelector('[role=slider]').focus()`);
    await page.type(arrowDown);
    await page.until(images('image 2 / 40'));

    await page.click(button('Échange téléphonique'));
    await page.until(dialog);
    await fill('Interlocuteur', 'Dr ALIX');
    await fill('Résumé de l’échange', 'Annoncé.');
    await page.click(button('Échange téléphonique', dialog));
    await page.until(`!${dialog}`);

    await fill('Technique', 'Sans injection. PDL 890 mGy.cm.');
    await fill('Résultats', 'Pas de saignement.');
    await fill('Conclusion', 'Examen normal.');
    await page.click(field('Acte CCAM validé'));
    await page.click(`[...document.querySelectorAll('[role=option]')].find((each) => each.offsetParent)`);
    await page.until(shows('Brouillon enregistré'));
    await page.click(button('Signer…'));
    await page.click(button('Signer et envoyer', dialog));
    await page.until(button('Voir le PDF'));
    await page.until(shows('accusé réception'));
    if (picture) await writeFile(picture, await page.screenshot());
    expect(page.complaints).toEqual([]);
  });
});
