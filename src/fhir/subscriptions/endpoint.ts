/**
 * One HTTP request to a subscriber's endpoint: to an address that was checked, without following redirects, bounded in time and size,
 * with the certificate verified.
 */
import { lookup } from 'node:dns';
import type { Agent as PlainAgent } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { http } from '../../config/index.ts';
import { type EndpointPolicy, hostOf, mayConnect } from './addresses.ts';

/** What the other side answered, or why it could not be asked; the reason never quotes what was sent or received. */
export type Reply = { status: number } | { failure: string };

export interface Request {
  url: URL;
  tenant: string;
  method: 'POST' | 'PUT' | 'DELETE';
  headers: Readonly<Record<string, string>>;
  body?: string;
  timeoutMs: number;
}

export interface Endpoints {
  request(request: Request): Promise<Reply>;
  close(): void;
}

export type Resolve = (host: string) => Promise<readonly string[]>;

/** Of an answer only the status counts; more than this is not even received. */
const longestAnswerBytes = 64 * 1024;

/** @param resolve how names become addresses; the system's resolver when absent. */
export function createEndpoints(
  policy: EndpointPolicy,
  options: { ca?: readonly string[]; resolve?: Resolve } = {},
): Endpoints {
  const { ca, resolve = systemResolve } = options;
  const trusted = ca && ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {};
  const kept = { keepAlive: true, maxSockets: 8 };
  /** Connections kept open were checked for their tenant; what another tenant may reach can be less. */
  const agents = new Map<string, { secure: https.Agent; plain: PlainAgent }>();
  const agentsOf = (tenant: string) => {
    const known = agents.get(tenant) ?? {
      secure: new https.Agent({ ...kept, minVersion: 'TLSv1.2', ...trusted }),
      plain: new http.Agent(kept),
    };
    agents.set(tenant, known);
    return known;
  };

  /** Resolves, and lets the socket have only what may be connected to: a name that answers otherwise a second later gains nothing. */
  const checkedLookup =
    (url: URL, tenant: string): LookupFunction =>
    (host, lookupOptions, callback) => {
      resolve(host).then(
        (addresses) => {
          const allowed = addresses.filter((address) => mayConnect(address, url, tenant, policy));
          if (allowed.length === 0) return callback(failure('EADDRESS'), '', 0);
          const found = allowed.map((address) => ({ address, family: isIP(address) }));
          if (lookupOptions.all) callback(null, found);
          else callback(null, found[0]!.address, found[0]!.family);
        },
        (error: NodeJS.ErrnoException) => callback(failure(error.code ?? 'ENOTFOUND'), '', 0),
      );
    };

  return {
    request({ url, tenant, method, headers, body, timeoutMs }) {
      // A literal address is connected to without any look-up.
      if (isIP(hostOf(url)) && !mayConnect(hostOf(url), url, tenant, policy))
        return Promise.resolve({ failure: reasons.EADDRESS! });
      const isSecure = url.protocol === 'https:';
      const { promise, resolve: settle } = Promise.withResolvers<Reply>();
      const sent = (isSecure ? https : http).request(url, {
        agent: isSecure ? agentsOf(tenant).secure : agentsOf(tenant).plain,
        lookup: checkedLookup(url, tenant),
        method,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body ?? '')) },
        signal: AbortSignal.timeout(timeoutMs),
      });
      sent.on('response', (response) => {
        let received = 0;
        const status = response.statusCode ?? 0;
        response.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (received > longestAnswerBytes) response.destroy();
        });
        response.on('error', () => undefined);
        response.on('close', () => settle({ status }));
      });
      sent.on('error', (error: NodeJS.ErrnoException) => settle({ failure: reasonOf(error) }));
      sent.end(body);
      return promise;
    },
    close() {
      for (const { secure, plain } of agents.values()) {
        secure.destroy();
        plain.destroy();
      }
    },
  };
}

const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses.map(({ address }) => address));
    });
  });

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

const reasons: Readonly<Record<string, string>> = {
  EADDRESS: 'the address of the endpoint may not be reached from here',
  ENOTFOUND: 'the name of the endpoint is not known',
  ECONNREFUSED: 'the endpoint refused the connection',
  ECONNRESET: 'the endpoint closed the connection',
  ABORT_ERR: 'the endpoint did not answer in time',
};

/** Words for a few errors, the code of the others: messages may quote addresses or certificates. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const code = error.name === 'AbortError' || error.name === 'TimeoutError' ? 'ABORT_ERR' : (error.code ?? error.name);
  return reasons[code] ?? `the endpoint could not be reached (${code})`;
}
