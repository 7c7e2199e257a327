/** A browser as the routes for people see it: keeps cookies, sends the header of our pages, from an address of its own. */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

export interface BrowserSession {
  address: string;
  /** Cookies by name. */
  cookies: Map<string, string>;
  call(
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>;
  login(username: string, password: string): Promise<LightMyRequestResponse>;
  /** The value of the session cookie. */
  session(): string | undefined;
}

export function openBrowserSession(app: FastifyInstance, address: string): BrowserSession {
  const cookies = new Map<string, string>();
  const browser: BrowserSession = {
    address,
    cookies,
    session: () => cookies.get('passerelle') ?? cookies.get('__Host-passerelle'),
    async call(method, url, body, headers = {}) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await app.inject({
        method,
        url,
        remoteAddress: address,
        headers: {
          'x-passerelle': 'ui',
          'user-agent': 'Navigateur essai 1.0',
          ...(cookie ? { cookie } : {}),
          ...headers,
        },
        ...(body ? { payload: body } : {}),
      });
      for (const set of [answer.headers['set-cookie'] ?? []].flat()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (value === '' || set.includes('Max-Age=0')) cookies.delete(name);
        else cookies.set(name, value);
      }
      return answer;
    },
    login: (username, password) => browser.call('POST', '/oauth2/login', { username, password }),
  };
  return browser;
}
