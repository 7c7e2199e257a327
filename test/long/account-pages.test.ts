import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSync } from 'otplib';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOAuthService, smartRoutes } from '../../src/access/index.ts';
import { barriersOf } from '../ui/barriers.ts';
import { browserPath, launchBrowser } from '../ui/browser.ts';
import { buildUserInterface } from '../ui/build.ts';
import { complaintsOf } from '../ui/complaints.ts';
import { type PeopleServer, startPeopleServer } from '../ui/people-server.ts';

const password = 'Hirondelle-47-Sud';

/** Sign-in in all its steps and one's own account, in Chromium with an authenticator that is software but speaks WebAuthn. */
describe.skipIf(browserPath() === undefined)('signing in and one’s own account in a browser', () => {
  let folder: string;
  let browser: Browser;
  let server: PeopleServer;
  let page: Page;
  let devtools: CDPSession;
  let complaints: string[];

  beforeAll(async () => {
    folder = await buildUserInterface();
    browser = (await launchBrowser()) as Browser;
    server = await startPeopleServer(folder, {
      routes: async (app, access, baseUrl, rooms) => {
        const service = createOAuthService({
          ...rooms,
          ...{ access, baseUrl, securityClock: rooms.clock },
          keyFolder: join(folder, 'keys'),
          keyHosts: [],
        });
        await app.register(smartRoutes, { service, certificates: false });
      },
    });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, locale: 'fr-FR' });
    page = await context.newPage();
    page.setDefaultTimeout(9_000);
    devtools = await context.newCDPSession(page);
    complaints = complaintsOf(page);
  });
  afterEach(async () => {
    const barriers = await barriersOf(page);
    await page.context().close();
    expect({ complaints, barriers }).toEqual({ complaints: [], barriers: [] });
  });

  const person = (login: string, more: object = {}) =>
    server.access.ensureAccount({
      ...{ tenant: 'aa', kind: 'person', reference: `Practitioner/${login}`, display: 'Dr ZOE TEST' },
      ...{ login, roles: ['auditor'], password },
      ...more,
    });
  const signIn = async (login: string, secret = password) => {
    await page.goto(`${server.url}/compte`);
    await page.getByLabel('Identifiant').fill(login);
    await page.getByRole('textbox', { name: 'Mot de passe' }).fill(secret);
    await page.keyboard.press('Enter');
  };
  const account = async () => {
    await page.getByRole('link', { name: /^Mon compte/ }).click();
    await page.getByRole('heading', { name: 'Mon compte' }).waitFor();
  };
  const signOut = async () => {
    await page.getByRole('button', { name: 'Déconnexion' }).click();
    await page.getByRole('button', { name: 'Se connecter', exact: true }).waitFor();
  };
  /** A key that verifies its user, unless told otherwise. */
  const authenticator = async (isUserVerified = true) => {
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified, automaticPresenceSimulation: true },
      },
    });
    return authenticatorId;
  };
  const codeOf = (secret: string) => generateSync({ secret, epoch: Math.floor(server.clock.now().getTime() / 1000) });

  it('sets an application up by its QR code, keeps the recovery codes, and asks for both at the door', async () => {
    await person('u-totp');
    await signIn('u-totp');
    await account();
    await page.getByRole('button', { name: 'Configurer une application d’authentification' }).click();
    const image = page.getByRole('img', { name: 'QR code à lire avec l’application' });
    await image.waitFor();
    expect(
      await image.evaluate((element) => (element as unknown as { naturalWidth: number }).naturalWidth),
    ).toBeGreaterThan(50);
    const secret = (await page.locator('.account p code').last().textContent())!.replaceAll(' ', '');
    await page.getByLabel('Code à six chiffres').fill(codeOf(secret));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Codes de secours' }).waitFor();
    expect(await page.evaluate('document.activeElement.getAttribute("aria-labelledby")')).toBe('titre-secours');
    const codes = await page.locator('.recovery-codes code').allTextContents();
    expect(codes).toHaveLength(10);
    await page.getByRole('button', { name: 'J’ai noté ces codes' }).click();
    await page.getByText('10 code(s) de secours restant(s)').waitFor();
    await signOut();

    server.clock.advance(60_000);
    await signIn('u-totp');
    await page.getByLabel('Code de l’application').fill('000000');
    await page.keyboard.press('Enter');
    await page.getByText('Ce code n’est pas valable.').waitFor();
    await page.getByRole('button', { name: 'Je n’ai plus mon second facteur' }).click();
    await page.getByLabel('Code de secours').fill(codes[3]!.toLowerCase());
    await page.keyboard.press('Enter');
    await account();
    await page.getByText('9 code(s) de secours restant(s)').waitFor();
  });

  it('registers a passkey, proves it after the password, and signs in with it alone', async () => {
    await person('u-key');
    const id = await authenticator();
    await signIn('u-key');
    await account();
    await page.getByRole('button', { name: 'Ajouter une clé d’accès' }).click();
    await page.getByRole('button', { name: 'J’ai noté ces codes' }).click();
    await page.getByText(/Clé sur Linux, depuis le/).waitFor();
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId: id });
    expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }]);
    // What the key knows the account by says nothing about anybody.
    expect(Buffer.from(credentials[0]!.userHandle!, 'base64').toString('latin1')).not.toContain('u-key');
    await signOut();

    await signIn('u-key');
    await page.getByRole('button', { name: 'Utiliser ma clé d’accès' }).click();
    await account();
    await signOut();

    await page.goto(`${server.url}/compte`);
    await page.getByRole('button', { name: 'Se connecter avec une clé d’accès' }).click();
    await account();
    await page.getByRole('cell', { name: 'clé d’accès', exact: true }).waitFor();

    server.clock.advance(11 * 60_000);
    await page.reload();
    await page.getByRole('button', { name: 'Confirmer avec une clé d’accès' }).click();
    await page.getByRole('button', { name: 'Retirer Clé sur Linux' }).click();
    await page.getByText('Aucun : qui connaît votre mot de passe').waitFor();
    await signOut();
    await page.goto(`${server.url}/compte`);
    await page.getByRole('button', { name: 'Se connecter avec une clé d’accès' }).click();
    await page.getByText('Cette clé d’accès n’est pas reconnue.').waitFor();
  });

  it('takes no key that did not verify its user', async () => {
    await person('u-weak');
    const id = await authenticator();
    await signIn('u-weak');
    await page.getByRole('button', { name: 'Ajouter une clé d’accès' }).click();
    await page.getByRole('button', { name: 'J’ai noté ces codes' }).click();
    await page.getByText(/Clé sur Linux, depuis le/).waitFor();
    await signOut();
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false });
    await page.getByRole('button', { name: 'Se connecter avec une clé d’accès' }).click();
    await page.getByText('La clé n’a pas été utilisée').waitFor();
  });

  it('takes an answer once, from our origin, of a key whose counter goes forward', async () => {
    await person('u-replay');
    const id = await authenticator();
    await signIn('u-replay');
    await page.getByRole('button', { name: 'Ajouter une clé d’accès' }).click();
    await page.getByRole('button', { name: 'J’ai noté ces codes' }).click();
    await page.getByText(/Clé sur Linux, depuis le/).waitFor();
    await signOut();

    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/oauth2/passkey') && request.method() === 'POST') sent.push(request.postData() ?? '');
    });
    await page.getByRole('button', { name: 'Se connecter avec une clé d’accès' }).click();
    await account();
    const again = (body: string) =>
      server.app.inject({
        ...{ method: 'POST', url: '/oauth2/passkey', payload: body },
        headers: { 'content-type': 'application/json' },
      });
    expect((await again(sent[0]!)).statusCode).toBe(401);
    await signOut();

    // A copy of the key that stayed behind while the original went on.
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId: id });
    await devtools.send('WebAuthn.clearCredentials', { authenticatorId: id });
    await devtools.send('WebAuthn.addCredential', {
      authenticatorId: id,
      credential: { ...credentials[0]!, signCount: 0 },
    });
    await page.getByRole('button', { name: 'Se connecter avec une clé d’accès' }).click();
    await page.getByText('Cette clé d’accès n’est pas reconnue.').waitFor();
  });

  it('leads an administrator from a temporary password to a second factor and a password of their own', async () => {
    await person('u-admin', { roles: ['administrator'], temporaryPassword: true });
    await authenticator();
    await signIn('u-admin');
    await page.getByRole('heading', { name: 'Ajouter un second facteur' }).waitFor();
    await page.getByRole('button', { name: 'Enregistrer une clé d’accès' }).click();
    await page.getByRole('button', { name: 'J’ai noté ces codes' }).click();
    await page.getByRole('heading', { name: 'Changer de mot de passe' }).waitFor();
    await page.getByText('Votre mot de passe est provisoire').waitFor();
    const fill = async (chosen: string, again = chosen) => {
      await page.getByLabel('Nouveau mot de passe').fill(chosen);
      await page.getByLabel('Le même, une seconde fois').fill(again);
      await page.keyboard.press('Enter');
    };
    await fill('Martinet-noir-58-bis', 'Martinet-noir-58-ter');
    await page.getByText('Les deux saisies diffèrent.').waitFor();
    await fill('hirondelle-48-SUD');
    await page.getByText('se distinguer nettement des six derniers').waitFor();
    await fill('Martinet-noir-58-bis');
    await account();
    await page.getByText('Votre rôle l’exige.').waitFor();
  });

  it('changes the password and ends other sessions with the keyboard alone', async () => {
    await person('u-keyboard');
    await signIn('u-keyboard');
    await account();
    const other = await server.app.inject({
      ...{ method: 'POST', url: '/oauth2/login', payload: { username: 'u-keyboard', password } },
      headers: { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0' },
    });
    expect(other.statusCode).toBe(200);
    await page.reload();
    const row = page.getByRole('row', { name: /Firefox sur Windows/ });
    await row.getByRole('button').focus();
    await page.keyboard.press('Enter');
    await row.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Changer de mot de passe…' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Mot de passe actuel').fill(password);
    await page.getByLabel('Nouveau mot de passe').fill('Martinet-noir-58');
    await page.getByLabel('Le même, une seconde fois').fill('Martinet-noir-58');
    await page.keyboard.press('Enter');
    await page.getByText('Mot de passe changé.').waitFor();
    expect(
      (
        await server.app.inject({
          url: '/oauth2/userinfo',
          headers: { cookie: String(other.headers['set-cookie']).split(';')[0]! },
        })
      ).statusCode,
    ).toBe(401);
  });

  it('shows which apps act in one’s name, and puts one out', async () => {
    await person('u-apps');
    await server.database.query(
      'aa',
      `INSERT INTO oauth_grant (tenant, grant_id, client_id, login, scopes, redirect_uri, code_hash, code_challenge,
         authenticated_at, code_expires_at, expires_at)
       SELECT 'aa', client, client, 'u-apps', '{user/Patient.rs}', 'https://app.example/', sha256(client::bytea), 'x', $1::timestamptz, $1, $1 + interval '1 day'
       FROM unnest(ARRAY['visionneuse', 'agenda']) AS client`,
      [server.clock.now()],
    );
    await signIn('u-apps');
    await account();
    await page.getByRole('button', { name: 'Retirer l’application agenda' }).click();
    await page.getByRole('button', { name: 'Retirer l’application agenda' }).waitFor({ state: 'detached' });
    await page.getByText('user/Patient.rs').waitFor();
    const { rows } = await server.database.query('aa', `SELECT client_id FROM oauth_grant WHERE login = 'u-apps'`);
    expect(rows).toEqual([{ client_id: 'visionneuse' }]);
    await page.getByRole('button', { name: 'Retirer l’application visionneuse' }).click();
    await page.getByText('Aucune application n’agit en votre nom.').waitFor();
  });
});
