/**
 * Where notifications may go, so that a Subscription cannot make the server knock at doors behind its own wall (SSRF): https to public
 * addresses, and to private ones only for hosts the operator named. Checked on the address that is really connected to.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { EndpointRules } from './contract.ts';
import { refused } from './refused.ts';

/** Never, whatever a list says: metadata services of clouds, neighbours on the link, everybody at once, nobody. */
const forbidden = blockList([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
  '100.100.100.200/32',
]);
const loopback = blockList(['127.0.0.0/8', '::1/128']);
/** Of the networks of a site, or not globally reachable (IANA special-purpose registries), tunnels that hide such ones included. */
const internal = blockList([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
]);

/** `EndpointRules`, read once. */
export interface EndpointPolicy {
  loopbackHttp: boolean;
  /** Whether the operator named this host (or address) for this tenant. */
  isNamed(tenant: string, host: string, port: number): boolean;
}

/** @throws Error naming the entry that cannot be used. */
export function readEndpointRules({ allowed, loopbackHttp }: EndpointRules): EndpointPolicy {
  const entries = allowed.map(readEntry);
  return {
    loopbackHttp,
    isNamed: (tenant, host, port) =>
      entries.some(
        (entry) =>
          (entry.tenant === undefined || entry.tenant === tenant) &&
          (entry.port === undefined || entry.port === port) &&
          entry.matches(host.toLowerCase()),
      ),
  };
}

function readEntry(text: string): { tenant?: string; port?: number; matches(host: string): boolean } {
  const [, tenant, bracketed, plain, portText] =
    /^(?:([a-z][a-z0-9-]*)=)?(?:\[([^\]]+)\]|([^:]+|[0-9a-f:]*:[0-9a-f:]*(?:\/\d+)?))(?::(\d{1,5}))?$/i.exec(
      text.trim(),
    ) ?? [];
  const host = (bracketed ?? plain)?.toLowerCase();
  if (!host || !/^[a-z0-9.:*/_-]+$/.test(host) || (host.includes('*') && !/^\*\.[^*]+$/.test(host)))
    throw new Error(`"${text}" is no host, *.domain, address or network`);
  const scope = { ...(tenant ? { tenant } : {}), ...(portText ? { port: Number(portText) } : {}) };
  if (host.includes('/') || isIP(host)) {
    const network = blockList([host.includes('/') ? host : `${host}/${isIPv4(host) ? 32 : 128}`]);
    return { ...scope, matches: (candidate) => isWithin(network, candidate) };
  }
  if (host.startsWith('*.')) return { ...scope, matches: (candidate) => candidate.endsWith(host.slice(1)) };
  return { ...scope, matches: (candidate) => candidate === host };
}

/** What can be said of an address before anybody connects. @throws FhirError 422. */
export function checkEndpoint(endpoint: string, tenant: string, policy: EndpointPolicy): void {
  const url = new URL(endpoint);
  const host = hostOf(url);
  const isHere = host === 'localhost' || isWithin(loopback, host);
  if (url.protocol === 'http:' && !(policy.loopbackHttp && isHere))
    throw refused('channel.endpoint', 'the endpoint must be https');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused('channel.endpoint', 'the endpoint must be https');
  if (isIP(host) && !mayConnect(host, url, tenant, policy))
    throw refused('channel.endpoint', 'this address is not reachable from here: ask the operator (SUBSCRIPTION_HOSTS)');
}

/** Whether `address`, to which the host of `url` was resolved, may be connected to. */
export function mayConnect(address: string, url: URL, tenant: string, policy: EndpointPolicy): boolean {
  if (isWithin(forbidden, address)) return false;
  const isLoopback = isWithin(loopback, address);
  if (!isLoopback && !isWithin(internal, address)) return isIP(address) !== 0;
  if (isLoopback && url.protocol === 'http:' && policy.loopbackHttp) return true;
  const port = portOf(url);
  return policy.isNamed(tenant, hostOf(url), port) || policy.isNamed(tenant, address, port);
}

/** Host of an address as names and numbers are written: IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** IPv4 written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address it means. */
function isWithin(list: BlockList, address: string): boolean {
  const kind = isIP(address);
  if (kind === 0) return false;
  const mapped = kind === 6 ? mappedIPv4(address) : undefined;
  if (mapped) return list.check(mapped, 'ipv4');
  return list.check(address, kind === 4 ? 'ipv4' : 'ipv6');
}

/** The IPv4 address in `::ffff:0:0/96` or the deprecated `::/96`, in any spelling. */
function mappedIPv4(address: string): string | undefined {
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const value = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
