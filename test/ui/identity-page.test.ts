import { rm } from 'node:fs/promises';
import type { DetectedIssue } from '@medplum/fhirtypes';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { browserPath, launchBrowser } from './browser.ts';
import { buildUserInterface } from './build.ts';
import { type FakeServer, fakePassword, startFakeServer } from './fake/server.ts';

const P = 'https://fhir.passerelle.example/';

const issue: DetectedIssue = {
  resourceType: 'DetectedIssue',
  id: 'alerte-1',
  status: 'preliminary',
  severity: 'high',
  code: { coding: [{ system: `${P}CodeSystem/detected-issue-code`, code: 'identity-mismatch' }] },
  detail: "L'identité portée par les images diffère de celle de la demande : date de naissance.",
  identifiedDateTime: new Date(Date.now() - 40 * 60_000).toISOString(),
  implicated: [{ reference: 'Task/cas-7' }, { reference: 'ImagingStudy/etude-7' }],
  extension: [
    {
      url: `${P}StructureDefinition/decision-due`,
      extension: [
        { url: 'due', valueDateTime: new Date(Date.now() - 10 * 60_000).toISOString() },
        { url: 'owner', valueReference: { reference: 'Organization/p', display: 'PASSERELLE EXEMPLE' } },
      ],
    },
  ],
  contained: [
    {
      resourceType: 'Patient',
      id: 'known',
      name: [{ family: 'TEST-MOREAU', given: ['CAMILLE'] }],
      birthDate: '1985-04-17',
    },
    {
      resourceType: 'Patient',
      id: 'received',
      name: [{ family: 'TEST-MOREAU', given: ['CAMILLE'] }],
      birthDate: '1985-04-18',
    },
  ],
  evidence: [
    {
      code: [{ coding: [{ system: `${P}CodeSystem/identity-trait`, code: 'birth-date' }] }],
      detail: [{ reference: '#known' }, { reference: '#received' }],
    },
  ],
};

describe.skipIf(browserPath() === undefined)('the identity page in a browser', () => {
  let folder: string;
  let browser: Browser;
  let server: FakeServer;
  let page: Page;
  let written: DetectedIssue[];

  beforeAll(async () => {
    folder = await buildUserInterface();
    browser = (await launchBrowser()) as Browser;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    server = await startFakeServer(folder);
    server.resources.set('DetectedIssue/alerte-1', issue);
    written = [];
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'fr-FR' });
    await page.route('**/fhir/DetectedIssue/*', async (route) => {
      if (route.request().method() !== 'PUT') return route.fallback();
      const decided = route.request().postDataJSON() as DetectedIssue;
      written.push(decided);
      const author = { reference: 'Practitioner/identitovigilance', display: 'LOU TEST-IDENTITE' };
      const mitigation = decided.mitigation?.map((each) => ({ ...each, author, date: new Date().toISOString() }));
      server.resources.set('DetectedIssue/alerte-1', { ...decided, mitigation });
      return route.fulfill({ status: 200, contentType: 'application/fhir+json', body: JSON.stringify(decided) });
    });
  });
  afterEach(async () => {
    await page.close();
    await server.close();
  });

  const signIn = async (account: string): Promise<void> => {
    await page.goto(`${server.url}/identites`);
    await page.getByLabel('Identifiant').fill(account);
    await page.getByRole('textbox', { name: 'Mot de passe' }).fill(fakePassword);
    await page.getByRole('button', { name: 'Se connecter' }).click();
  };

  it('compares both sides, and takes a decision with its reason', async () => {
    await signIn('identitovigilance');
    const card = page.getByRole('article', { name: 'Identité discordante' });
    await card.waitFor();
    expect(await card.textContent()).toMatch(/décision attendue depuis.*PASSERELLE EXEMPLE/);
    const row = card.getByRole('row', { name: /Date de naissance/ });
    expect(await row.textContent()).toBe('Date de naissance17/04/198518/04/1985différent');
    expect(await card.getByRole('row', { name: /Nom/ }).first().textContent()).not.toContain('différent');
    await card.getByLabel('C’est la même personne').check();
    await card.getByLabel(/Pourquoi/).fill('Pièce d’identité vue par le service');
    await card.getByRole('button', { name: 'Décider' }).click();
    await page.getByRole('row', { name: /C’est la même personne : Pièce d’identité/ }).waitFor();
    expect(written).toMatchObject([
      {
        status: 'final',
        mitigation: [
          { action: { coding: [{ code: 'identity-confirmed' }], text: 'Pièce d’identité vue par le service' } },
        ],
      },
    ]);
  });

  it('asks for the case that takes the images, by the number people read', async () => {
    await signIn('identitovigilance');
    const card = page.getByRole('article', { name: 'Identité discordante' });
    await card.getByLabel('Ces images sont d’un autre dossier').check();
    await card.getByLabel(/Numéro du dossier/).fill('TLR-INCONNU');
    await card.getByLabel(/Pourquoi/).fill('Erreur de liste de travail');
    await card.getByRole('button', { name: 'Décider' }).click();
    await card.getByRole('alert').waitFor();
    expect(written).toEqual([]);
  });

  it('leaves the decision to those whose it is', async () => {
    await signIn('coordonnateur');
    const card = page.getByRole('article', { name: 'Identité discordante' });
    await card.getByText('La décision revient à l’identitovigilance.').waitFor();
    expect(await card.getByRole('button').count()).toBe(0);
  });
});
