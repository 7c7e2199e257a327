/** People to attack: accounts in every state a sign-in can find one in, and browsers from addresses nobody used before. */
import { generateSync } from 'otplib';
import { type BrowserSession, openBrowserSession } from '../../access/browser-session.ts';
import { openRig, type Rig } from '../../access/support.ts';

export const password = 'Hirondelle-47';

export interface Scene extends Rig {
  browser(address?: string): BrowserSession;
  person(login: string, more?: object): Promise<void>;
  /** A person with an authenticator application; the step of the code that confirmed it is over. */
  withTotp(login: string): Promise<{ secret: string; recoveryCodes: string[] }>;
  /** The code an application shows now. */
  code(secret: string): string;
}

export async function openScene(options: Parameters<typeof openRig>[0] = {}): Promise<Scene> {
  const rig = await openRig(options);
  let used = 0;
  const scene: Scene = {
    ...rig,
    browser: (address = `203.0.113.${++used}`) => openBrowserSession(rig.app, address),
    person: (login, more = {}) =>
      rig.access.ensureAccount({
        ...{ tenant: 'aa', kind: 'person', reference: `Practitioner/${login}`, display: 'Dr ZOE TEST' },
        ...{ login, roles: ['radiologist'], password },
        ...more,
      }),
    code: (secret) => generateSync({ secret, epoch: Math.floor(rig.clock.now().getTime() / 1000) }),
    async withTotp(login) {
      await scene.person(login);
      const own = scene.browser();
      await own.login(login, password);
      const { secret } = (await own.call('POST', '/oauth2/account/totp')).json();
      const confirmed = await own.call('POST', '/oauth2/account/totp/confirm', { code: scene.code(secret) });
      rig.clock.advance(60_000);
      return { secret, recoveryCodes: confirmed.json().recoveryCodes };
    },
  };
  return scene;
}
