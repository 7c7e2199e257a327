/** PS3.4 Annex B.5 and PS3.6 Annex A: what may be stored over an association. */
import { isUid } from '../../imaging/index.ts';

export const verificationClass = '1.2.840.10008.1.1';
/** Storage Commitment Push Model, and the one instance everybody asks (PS3.4 §J.3). */
export const commitmentClass = '1.2.840.10008.1.20.1';
export const commitmentInstance = '1.2.840.10008.1.20.1.1';

const standardRoot = '1.2.840.10008.';
/** All storage classes of composite objects but those below; queries and retrievals have other branches. */
const storageBranch = '1.2.840.10008.5.1.4.1.1.';
const storageElsewhere: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.34.7', // RT Beams Delivery Instruction
  '1.2.840.10008.5.1.4.34.10', // RT Brachy Application Setup Delivery Instruction
  '1.2.840.10008.5.1.1.27', // Stored Print (retired)
  '1.2.840.10008.5.1.1.29', // Hardcopy Grayscale Image (retired)
  '1.2.840.10008.5.1.1.30', // Hardcopy Color Image (retired)
]);

/**
 * Whether instances of the class are taken: every storage class of the standard, also those published after this was written, and
 * classes of manufacturers (outside the standard's root), which can be nothing else when they come by C-STORE.
 */
export function isStorageClass(uid: string): boolean {
  if (!isUid(uid)) return false;
  return uid.startsWith(storageBranch) || storageElsewhere.has(uid) || !uid.startsWith(standardRoot);
}
