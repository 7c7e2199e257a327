/** Encryption at rest (SE-12): master keys in a ring, a data key per object wrapped by them, content in verified frames. */
import { type Config, dataKeysFile } from '../config/index.ts';
import { ensureKeyFile, openKeyRing } from './key-ring.ts';
import { createVault, type Vault } from './vault.ts';

export { type HandedFile, inClear, openHandedOver, type Sealing, sealedFor } from './handed-over.ts';
export { destroyFile, fileKeyId } from './keeping.ts';
export { ensureKeyFile, newKeyLine, openKeyRing, retireKey, rotateKeyFile } from './key-ring.ts';
export type { ReadableFile } from './sealed-file.ts';
export { createVault, type Vault } from './vault.ts';
export { VaultError } from './vault-error.ts';

/** The vault of this configuration: DATA_KEYS, DATA_KEYS_FILE, else a file of our own below the data folder. */
export function openConfiguredVault(config: Config): Vault {
  if (config.dataKeys.text !== undefined) return createVault(openKeyRing({ text: config.dataKeys.text }));
  const file = dataKeysFile(config);
  if (config.dataKeys.file === undefined) ensureKeyFile(file, config.clock.now());
  return createVault(openKeyRing({ file }));
}
