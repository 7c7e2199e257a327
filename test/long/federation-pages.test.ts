import { rm } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { administrationRoutes, legalNoticeRoutes, openidRoutes } from '../../src/access/index.ts';
import type { OpenidSource } from '../../src/config/index.ts';
import { clientId, clientSecret, type OpenidPeer, openOpenidPeer } from '../support/openid-peer.ts';
import { barriersOf } from '../ui/barriers.ts';
import { browserPath, launchBrowser } from '../ui/browser.ts';
import { buildUserInterface } from '../ui/build.ts';
import { complaintsOf } from '../ui/complaints.ts';
import { type PeopleServer, startPeopleServer } from '../ui/people-server.ts';

const password = 'Hirondelle-47-Sud';

/** The provider is another site (127.0.0.1) than ours (localhost): what SameSite keeps back is kept back here too. */
describe.skipIf(browserPath() === undefined)('identity providers and accounts in a browser', () => {
  let folder: string;
  let browser: Browser;
  let server: PeopleServer;
  let peer: OpenidPeer;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    folder = await buildUserInterface();
    browser = (await launchBrowser()) as Browser;
    peer = await openOpenidPeer();
    const source: OpenidSource = {
      ...{ name: 'psc', label: 'Pro Santé Connect', tenant: 'aa', issuer: peer.issuer, discovery: undefined, clientId },
      ...{ secret: () => clientSecret, scope: 'openid', acrValues: [], profile: 'openid', accounts: 'create' },
      ...{
        secondFactor: false,
        rules: [{ claim: { name: 'sub', value: 'alix' }, roles: ['auditor'], establishments: [] }],
      },
    };
    server = await startPeopleServer(folder, {
      identitySources: { ldap: [], openid: [source] },
      routes: async (app, access, baseUrl) => {
        await app.register(openidRoutes, { access, baseUrl });
        await app.register(administrationRoutes, { access });
        await app.register(legalNoticeRoutes, { notice: undefined });
      },
    });
    for (const [login, role] of [
      ['chef', 'administrator'],
      ['lou', 'auditor'],
    ] as const) {
      await server.access.ensureAccount({
        ...{ tenant: 'aa', login, kind: 'person', reference: `Practitioner/${login}`, display: `Dr ${login}` },
        ...{ roles: [role], password, demonstration: true },
      });
    }
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await peer?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, locale: 'fr-FR' });
    page = await context.newPage();
    page.setDefaultTimeout(9_000);
    complaints = complaintsOf(page);
  });
  afterEach(async () => {
    const barriers = await barriersOf(page);
    await page.context().close();
    expect({ complaints, barriers }).toEqual({ complaints: [], barriers: [] });
  });

  it('a click leads to the provider and back into the page one wanted, and out of both', async () => {
    await page.goto(`${server.url}/compte`);
    await page.getByRole('link', { name: 'Se connecter avec Pro Santé Connect' }).click();
    await page.getByRole('heading', { name: 'Mon compte' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/compte');
    await page.getByRole('button', { name: 'Déconnexion' }).click();
    await page.getByRole('link', { name: 'Se connecter avec Pro Santé Connect' }).waitFor();
    expect(peer.ended).toHaveLength(1);
    await page.goto(`${server.url}/compte`);
    await page.getByRole('heading', { name: 'Connexion' }).waitFor();
  });

  it('somebody whom nothing is open for is told so', async () => {
    peer.claims = { sub: 'inconnu' };
    peer.userinfo = { sub: 'inconnu' };
    await page.goto(server.url);
    await page.getByRole('link', { name: 'Se connecter avec Pro Santé Connect' }).click();
    await page.getByText('Cette identité n’ouvre aucun compte ici').waitFor();
    Object.assign(peer, { claims: {}, userinfo: {} });
  });

  it('the legal notice is there before sign-in', async () => {
    await page.goto(server.url);
    await page.getByRole('link', { name: 'Mentions légales' }).click();
    await page.getByRole('heading', { name: 'Mentions légales' }).waitFor();
  });

  it('an administrator makes an account, gives its password away once, and closes it', async () => {
    await page.goto(server.url);
    await page.getByLabel('Identifiant').fill('chef');
    await page.getByRole('textbox', { name: 'Mot de passe' }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Comptes', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Nouveau compte' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('input[name=login]').fill('noa.test');
    await dialog.locator('input[name=family]').fill('TEST');
    await dialog.getByRole('combobox', { name: /Rôles/ }).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: 'Radiologue' }).click();
    await dialog.locator('input[name=given]').fill('Noa');
    await dialog.getByRole('button', { name: 'Créer le compte' }).click();
    const temporary = await dialog.locator('output').innerText();
    const first = { username: 'noa.test', password: temporary, network: '192.0.2.7', requestId: 'r' };
    expect(await server.access.signIn(first)).toMatchObject({ step: 'change-password' });
    await dialog.getByRole('button', { name: 'J’ai remis ce mot de passe' }).click();
    await page.getByRole('row', { name: /noa\.test Noa TEST Radiologue/ }).waitFor();
    await page.getByRole('button', { name: 'noa.test' }).click();
    await page.getByRole('button', { name: 'Fermer le compte' }).click();
    await page.getByRole('button', { name: 'Rouvrir le compte' }).waitFor();
    expect(await server.access.signIn(first)).toEqual({ status: 'refused' });
  });

  it('an auditor reads who holds the technical accounts and changes nothing', async () => {
    await server.access.ensureAccount({
      ...{ tenant: 'aa', login: 'ris-1', kind: 'machine', reference: 'Device/ris-1', display: 'RIS 1', roles: ['ris'] },
    });
    await page.goto(`${server.url}/detenteurs`);
    await page.getByLabel('Identifiant').fill('lou');
    await page.getByRole('textbox', { name: 'Mot de passe' }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByText('Aucun détenteur enregistré.').waitFor();
    expect(await page.getByRole('button', { name: 'Enregistrer' }).count()).toBe(0);
  });
});
