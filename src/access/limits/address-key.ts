import { isIPv6 } from 'node:net';

const groupsOfNetwork = 4;

/** Who an address stands for: of IPv6 its /64, which one subscriber has whole (RFC 6177), else the address. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [left = '', right] = plain.split('::');
  const head = left === '' ? [] : left.split(':');
  const missing = right === undefined ? 0 : 8 - head.length - (right === '' ? 0 : right.split(':').length);
  const groups = [...head, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...(right ?? '').split(':')];
  return groups
    .slice(0, groupsOfNetwork)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
