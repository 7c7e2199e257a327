import { rm } from 'node:fs/promises';
import type { DiagnosticReport, Task } from '@medplum/fhirtypes';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { browserPath, launchBrowser } from './browser.ts';
import { buildUserInterface } from './build.ts';
import { complaintsOf } from './complaints.ts';
import { type FakeServer, fakePassword, startFakeServer } from './fake/server.ts';

/** A loaded machine may take its time; a wrong screen stays wrong. */
const patient = { timeout: 20_000 };

/** Whole screens in Chromium, against a server of our own under a policy that forbids inline script, inline style and eval. */
describe.skipIf(browserPath() === undefined)('the user interface in a browser', () => {
  let folder: string;
  let browser: Browser;
  let server: FakeServer;
  let page: Page;
  let complaints: string[];

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
    page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' });
    complaints = complaintsOf(page);
  });
  afterEach(async () => {
    await page.close();
    await server.close();
    expect(complaints).toEqual([]);
  });

  const signIn = async (account: string, path = '/'): Promise<void> => {
    await page.goto(`${server.url}${path}`);
    await fillSignIn(account);
  };
  const fillSignIn = async (account: string): Promise<void> => {
    await page.getByLabel('Identifiant').fill(account);
    await page.getByRole('textbox', { name: 'Mot de passe' }).fill(fakePassword);
    await page.getByRole('button', { name: 'Se connecter' }).click();
  };
  const operation = (name: string) => server.operations.find((one) => one.name === name);

  it('lists the cases of other tenants, says which does not answer, and opens a case in its own', async () => {
    await signIn('itinerante');
    await page.getByRole('row', { name: /TEST-MOREAU/ }).click();
    await page.getByRole('heading', { name: 'TEST-MOREAU CAMILLE' }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/dossier\/ailleurs\/cas-\d$/);
    expect(server.elsewhere.some((path) => path.startsWith('/fhir/Task?_id='))).toBe(true);
    await page.goBack();
    await page.getByRole('alert').filter({ hasText: 'les dossiers de « lointain » manquent' }).waitFor();
    await page.goto(`${server.url}/dossier/interdit/cas-1`);
    await page.getByRole('heading', { name: 'Page introuvable' }).waitFor();
  });

  it('takes a radiologist from the list to the signed report with the keyboard and the mouse', async () => {
    await signIn('radiologue');
    await page.getByRole('row', { name: /TEST-PETIT/ }).waitFor();
    await page.getByRole('row', { name: /TEST-PETIT/ }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'TEST-MOREAU CAMILLE' }).waitFor();

    await page.getByTestId('compteur-images').getByText('image 1 / 24').waitFor();
    await page.getByRole('slider').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText('image 2 / 24').waitFor();
    await page.getByRole('button', { name: 'Os', exact: true }).click();
    await page.getByText('L 2000 · C 500').waitFor();

    await page.getByRole('button', { name: 'Prendre le dossier' }).click();
    await page.getByLabel('Résultats').fill('Hyperdensité temporale.');
    await page.getByLabel('Conclusion').fill('Hématome temporal gauche.');
    await page.getByText('Brouillon enregistré').waitFor();
    expect(operation('claim')).toMatchObject({ ifMatch: 'W/"1"', header: 'ui' });
    expect(operation('displayed')?.body.parameter).toHaveLength(1);

    await page.getByRole('button', { name: /Crâne os/ }).click();
    await page.getByText('image 1 / 12').waitFor();
    server.refuseSigning.issues = [{ expression: 'conclusion', diagnostics: 'Le côté diffère de la demande.' }];
    await page.getByRole('button', { name: 'Signer…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Signer le compte rendu' });
    expect(await dialog.textContent()).toContain('Hématome temporal gauche.');
    expect(await dialog.textContent()).toContain('TEST-MOREAU CAMILLE');
    await dialog.getByRole('button', { name: 'Signer et envoyer' }).click();
    await page.getByText('Le côté diffère de la demande.').waitFor();

    server.refuseSigning.issues = [];
    await page.getByRole('button', { name: 'Signer…' }).click();
    await page.getByRole('button', { name: 'Signer et envoyer' }).click();
    await page.getByRole('button', { name: 'Voir le PDF' }).waitFor();
    await page.getByText('Le logiciel du site en a accusé réception (message P0001)').waitFor();
    expect(server.operations.at(-1)?.body.parameter).toContainEqual({
      name: 'conclusion',
      valueString: 'Hématome temporal gauche.',
    });
  });

  it('opens an app of somebody else on the case, in a tab of its own', async () => {
    await signIn('radiologue', '/dossier/cas-1');
    const tab = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Ouvrir Visionneuse 3D' }).click();
    await (await tab).waitForURL('**/application?client=viewer&dossier=cas-1');
    expect(await (await tab).evaluate('window.opener === null')).toBe(true);
  });

  it('shows a new urgent case without reload, says so, and moves nothing under the pointer', async () => {
    const known = server.resources.get('Task/cas-1') as Task;
    server.resources.delete('Task/cas-1');
    await signIn('radiologue');
    await page.getByRole('row', { name: /TEST-FAURE/ }).hover();
    const before = await page.getByRole('row', { name: /^Dossier de/ }).allTextContents();
    server.resources.set('Task/cas-1', { ...known, meta: { versionId: '1', lastUpdated: new Date().toISOString() } });
    await page.getByText('Nouveau dossier urgent : TEST-MOREAU CAMILLE').waitFor();
    const after = await page.getByRole('row', { name: /^Dossier de/ }).allTextContents();
    expect(after).toHaveLength(before.length + 1);
    expect(after.at(-1)).toContain('TEST-MOREAU');
    await page.getByLabel('Rechercher').hover();
    await expect
      .poll(
        () =>
          page
            .getByRole('row', { name: /^Dossier de/ })
            .nth(1)
            .textContent(),
        patient,
      )
      .toContain('TEST-MOREAU');
  });

  it('is told of changes by a Subscription and asks nothing meanwhile, and polls when the line is lost', async () => {
    const known = server.resources.get('Task/cas-1') as Task;
    server.resources.delete('Task/cas-1');
    await signIn('radiologue');
    await page.getByRole('row', { name: /TEST-FAURE/ }).waitFor();
    await expect.poll(() => server.live.bound(), patient).toBe(1);
    const [asked] = server.live.created.slice(-1);
    expect(asked?.criteria).toBe('https://fhir.passerelle.example/SubscriptionTopic/case-changed');
    const pulses = server.pulses.count;
    server.resources.set('Task/cas-1', { ...known, meta: { versionId: '1', lastUpdated: new Date().toISOString() } });
    await page.getByText('Nouveau dossier urgent : TEST-MOREAU CAMILLE').waitFor();
    expect(server.pulses.count).toBe(pulses);
    server.live.offered = false;
    server.live.cut();
    await expect.poll(() => server.pulses.count, patient).toBeGreaterThan(pulses);
    expect(server.live.ended).toContain(asked?.id);
  });

  it('says why a case stands where it stands, without opening it', async () => {
    await signIn('radiologue');
    const row = page.getByRole('row', { name: /TEST-FAURE/ });
    await row.getByRole('button', { name: /pourquoi ce dossier/ }).click();
    await row.getByText('Votre sur-spécialité : Neuroradiologie').waitFor();
    await row.getByText('Non urgent : après les urgents').waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
  });

  it('returns to the same case with the same words after a session that expired', async () => {
    await signIn('radiologue', '/dossier/cas-5');
    await page.getByLabel('Conclusion').fill('Pas de fracture.');
    await page.context().clearCookies();
    await page.getByText('La session a expiré').waitFor();
    await fillSignIn('radiologue');
    await page.getByRole('heading', { name: 'TEST-ROUX ANDREA' }).waitFor();
    await expect.poll(() => page.getByLabel('Conclusion').inputValue(), patient).toBe('Pas de fracture.');
    await page.getByText('Brouillon enregistré').waitFor();
  });

  it('goes on from the saved draft beside a report that is shown already, never from the shown words', async () => {
    const task = server.resources.get('Task/cas-5') as Task;
    const item = (code: string) => ({
      coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-item', code }],
    });
    const report = (id: string, status: DiagnosticReport['status'], conclusion: string): DiagnosticReport => ({
      resourceType: 'DiagnosticReport',
      id,
      status,
      code: {},
      conclusion,
    });
    server.resources.set('DiagnosticReport/montre', report('montre', 'preliminary', 'Mots montrés.'));
    server.resources.set('DiagnosticReport/brouillon', report('brouillon', 'partial', 'Mots enregistrés ensuite.'));
    server.resources.set('Task/cas-5', {
      ...task,
      output: [
        ...(task.output ?? []),
        { type: item('report'), valueReference: { reference: 'DiagnosticReport/montre' } },
        { type: item('draft'), valueReference: { reference: 'DiagnosticReport/brouillon' } },
      ],
    });
    await signIn('radiologue', '/dossier/cas-5');
    const conclusion = page.getByRole('textbox', { name: 'Conclusion' });
    await expect.poll(() => conclusion.inputValue(), patient).toBe('Mots enregistrés ensuite.');
  });

  it('tells who took the case when a race is lost', async () => {
    // Nobody tells the page before the click.
    server.live.offered = false;
    await signIn('radiologue', '/dossier/cas-1');
    await page.getByRole('button', { name: 'Prendre le dossier' }).waitFor();
    const task = server.resources.get('Task/cas-1') as Task;
    const reading = { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: 'reading' }] };
    // Older than what the page knows, so that the pulse does not tell it either.
    server.resources.set('Task/cas-1', {
      ...task,
      meta: { versionId: '2', lastUpdated: '2026-01-01T00:00:00Z' },
      businessStatus: reading,
      owner: { reference: 'Practitioner/autre', display: 'Dr AUTRE TEST' },
    });
    await page.getByRole('button', { name: 'Prendre le dossier' }).click();
    await page.getByText('le dossier est pris par Dr AUTRE TEST').waitFor();
  });

  it("warns when the images are not this patient's", async () => {
    await signIn('radiologue', '/dossier/cas-4');
    await page
      .getByText('Attention : cette image n’est pas au nom du patient du dossier (nom, date de naissance)')
      .waitFor();
  });

  it('never counts a series as displayed when its image did not come, and says so', async () => {
    await page.route('**/frames/**', (route) => route.fulfill({ status: 500, body: '' }));
    await signIn('radiologue', '/dossier/cas-5');
    await page.getByText('L’image n’a pas pu être affichée').waitFor();
    await page.getByText('Brouillon enregistré').waitFor();
    expect(await page.getByRole('img', { name: 'affichée' }).count()).toBe(0);
    expect(operation('displayed')).toBeUndefined();
    // The loader leaves the failed request as an unhandled rejection beside the one it hands to us.
    complaints = complaints.filter((one) => one !== 'XMLHttpRequest');
  });

  it('shows the coordinator the images that no request explains, with their age', async () => {
    server.resources.set('Communication/sans-demande', {
      resourceType: 'Communication',
      id: 'sans-demande',
      status: 'completed',
      category: [
        {
          coding: [
            { system: 'https://fhir.passerelle.example/CodeSystem/communication-category', code: 'unattached-images' },
          ],
        },
      ],
      about: [{ reference: 'ImagingStudy/etude-orpheline' }],
      sent: new Date(Date.now() - 18 * 60_000).toISOString(),
      payload: [{ contentString: 'Des images reçues n’ont trouvé aucune demande.' }],
    });
    await signIn('coordonnateur', '/identites');
    const row = page.getByRole('row', { name: /Images sans demande/ });
    await row.waitFor();
    expect(await row.textContent()).toMatch(/18 min.*aucune demande/);
    await page.getByText('2 à vérifier.').waitFor();
  });

  it('goes as far as the key was pressed, however fast', async () => {
    await signIn('radiologue', '/dossier/cas-5');
    await page.getByTestId('compteur-images').getByText('image 1 / 24').waitFor();
    await page.getByRole('slider').focus();
    await Promise.all(Array.from({ length: 9 }, () => page.keyboard.press('ArrowDown')));
    await page.getByTestId('compteur-images').getByText('image 10 / 24').waitFor();
  });

  it('opens a prior under a banner that names it, and counts nothing of it as displayed', async () => {
    server.resources.set('ImagingStudy/ancienne', {
      resourceType: 'ImagingStudy',
      id: 'ancienne',
      status: 'available',
      subject: { reference: 'Patient/patient-cas-5' },
      identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:2.25.77' }],
      started: '2025-03-02T10:00:00+01:00',
      description: 'Rachis',
    });
    await signIn('radiologue', '/dossier/cas-5');
    await page.getByText('Brouillon enregistré').waitFor();
    await expect.poll(() => server.operations.filter((one) => one.name === 'displayed').length, patient).toBe(1);
    await page.getByRole('button', { name: 'Voir les images : ANTÉRIORITÉ du 02/03/2025' }).click();
    await page.getByText('ANTÉRIORITÉ du 02/03/2025', { exact: true }).waitFor();
    await page.getByTestId('compteur-images').getByText('image 1 / 24').waitFor();
    await page.getByRole('button', { name: /Crâne os/ }).click();
    await page.getByText('image 1 / 12').waitFor();
    expect(await page.getByRole('img', { name: 'affichée' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Revenir à l’examen du dossier' }).click();
    await page.getByText('image 1 / 24').waitFor();
    expect(await page.getByText('ANTÉRIORITÉ du').count()).toBe(0);
    expect(server.operations.filter((one) => one.name === 'displayed')).toHaveLength(1);
  });

  it('marks a late line by more than its colour', async () => {
    await signIn('radiologue');
    await page.getByRole('row', { name: /TEST-PETIT.*en retard/ }).waitFor();
  });

  it('gives each role its screens, and nothing asked that would be refused', async () => {
    await signIn('auditeur');
    await page.getByText('a consulté').waitFor();
    const navigation = page.getByRole('navigation', { name: 'Navigation principale' });
    expect(await navigation.getByRole('link').allTextContents()).toEqual(['Journal', 'Comptes techniques']);
    await page.getByRole('button', { name: 'Déconnexion' }).click();
    await fillSignIn('coordonnateur');
    await page.getByRole('link', { name: 'Images et identités à vérifier' }).click();
    await page.getByText('date de naissance différente').waitFor();
    await page.getByRole('button', { name: 'Déconnexion' }).click();
    await fillSignIn('admin');
    await page.getByRole('heading', { name: 'Comptes', exact: true }).waitFor();
    const screens = ['Comptes', 'Gardes', 'Radiologues', 'Comptes techniques'];
    expect(await navigation.getByRole('link').allTextContents()).toEqual(screens);
  });
});
