import { createVault, newKeyLine, openKeyRing, type Vault } from '../../src/vault/index.ts';

/** A vault with a key of its own, in memory. */
export function testVault(...lines: string[]): Vault {
  const text = lines.length > 0 ? lines.join('') : newKeyLine(new Date('2026-11-22T00:00:00Z'));
  return createVault(openKeyRing({ text }));
}
