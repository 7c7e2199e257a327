/** A third-party app and the browser it sends to us: `openid-client` on one side, a person with a session on the other. */
import { createHash, randomBytes } from 'node:crypto';
import * as openid from 'openid-client';
import { baseUrl, type SmartRig } from './support.ts';

export const redirectUri = 'https://app.example/callback';
export const fhirUrl = `${baseUrl}/fhir`;

/** The app's client library, speaking to the rig without sockets. */
export async function openApp(
  rig: SmartRig,
  clientId: string,
  authentication: openid.ClientAuth = openid.None(),
): Promise<openid.Configuration> {
  const options: openid.DiscoveryRequestOptions = { [openid.customFetch]: (url, init) => fetchFrom(rig, url, init) };
  // The library believes the machine's clock; the rig has its own.
  const skew = Math.floor((rig.clock.now().getTime() - Date.now()) / 1000);
  const metadata = { [openid.clockSkew]: skew };
  const config = await openid.discovery(new URL(baseUrl), clientId, metadata, authentication, {
    ...options,
    execute: [openid.allowInsecureRequests],
  });
  config[openid.customFetch] = (url, init) => fetchFrom(rig, url, init);
  return config;
}

async function fetchFrom(rig: SmartRig, url: string, init: openid.CustomFetchOptions): Promise<Response> {
  const { body } = init;
  const answer = await rig.app.inject({
    method: init.method as 'GET',
    url: url.slice(baseUrl.length),
    headers: init.headers,
    ...(body ? { payload: String(body) } : {}),
  });
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as [string, string]);
  return new Response(answer.body === '' ? null : answer.body, { status: answer.statusCode, headers });
}

/** A person with a session: its cookie. */
export async function signIn(rig: SmartRig, login: string, tenant = 'aa', roles = ['radiologist']): Promise<string> {
  const password = 'Correct-Horse-7!';
  await rig.access.ensureAccount({
    ...{
      tenant,
      login,
      kind: 'person',
      reference: `Practitioner/${login}`,
      display: `Dr ${login.toUpperCase()}`,
      roles,
      password,
    },
  });
  const result = await rig.access.signIn({ username: login, password, network: '192.0.2.1', requestId: 'sign-in' });
  if (result.status !== 'signed-in') throw new Error(result.status);
  return `passerelle=${result.secret}`;
}

export interface Authorization {
  /** Query of the address the app sends the browser to. */
  query: Record<string, string>;
  verifier: string;
}

/** What an app sends a browser with; undefined leaves a parameter out. */
export function authorization(
  clientId: string,
  scope: string,
  more: Record<string, string | undefined> = {},
): Authorization {
  const verifier = randomBytes(32).toString('base64url');
  const query = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state: randomBytes(8).toString('hex'),
    aud: fhirUrl,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  };
  return {
    verifier,
    query: Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >,
  };
}

/** The consent page as the person's browser gets it. */
export async function consentPage(rig: SmartRig, query: Record<string, string>, cookie: string) {
  const answer = await rig.app.inject({
    url: `/oauth2/consent?${new URLSearchParams(query)}`,
    headers: { cookie },
  });
  const hidden = (name: string) =>
    unescapeHtml(new RegExp(`name="${name}" value="([^"]*)"`).exec(answer.body)?.[1] ?? '');
  return { answer, request: hidden('request'), proof: hidden('proof') };
}

/** The person decides; answers where the browser is sent. */
export async function decide(
  rig: SmartRig,
  query: Record<string, string>,
  cookie: string,
  decision: Record<string, string> = { decision: 'accept' },
): Promise<URL> {
  const { request, proof } = await consentPage(rig, query, cookie);
  const answer = await rig.post('/oauth2/consent', { request, proof, ...decision }, { cookie });
  if (answer.statusCode !== 303) throw new Error(`${answer.statusCode} ${answer.body}`);
  return new URL(String(answer.headers.location));
}

/** From the app's wish to its tokens, without a library. */
export async function exchange(
  rig: SmartRig,
  clientId: string,
  { code, verifier }: { code: string; verifier: string },
  more: Record<string, string> = {},
) {
  const answer = await rig.post('/oauth2/token', {
    ...{
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    },
    ...more,
  });
  return { status: answer.statusCode, ...answer.json() };
}

function unescapeHtml(text: string): string {
  return text.replace(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(Number(code)));
}
