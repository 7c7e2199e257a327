/** Signing identities for tests, made by the real keystore and by the real issuer. */
import type { Signer } from '../../src/report/contract.ts';
import { openKeystore } from '../../src/report/index.ts';
import { sampleRadiologist } from './sample.ts';
import { scratchFolder } from './tools.ts';

export const keystoreStart = new Date('2026-05-01T00:00:00Z');

export async function sampleSigner(): Promise<Signer> {
  const keystore = await openKeystore(scratchFolder(), { now: () => keystoreStart });
  return keystore.signerFor(sampleRadiologist());
}
