/** Where the master keys of data at rest are: DATA_KEYS, or the file DATA_KEYS_FILE names, or neither (SE-12). */
import { join } from 'node:path';
import { ConfigError } from './config-error.ts';
import { type Environment, given } from './variables.ts';

export interface DataKeysConfig {
  /** The keys themselves. */
  text: string | undefined;
  /** The file that holds them; undefined beside `text` too: one of our own below the data folder. */
  file: string | undefined;
}

/** @throws ConfigError when both are set. */
export function dataKeysConfig(env: Environment): DataKeysConfig {
  const text = given(env, 'DATA_KEYS');
  const file = given(env, 'DATA_KEYS_FILE');
  if (text !== undefined && file !== undefined) {
    throw new ConfigError('DATA_KEYS et DATA_KEYS_FILE sont donnés tous les deux : ne gardez que l’un.');
  }
  return { text, file };
}

/** The file of the key ring when the keys are not in the environment. */
export function dataKeysFile({ dataDir, dataKeys }: { dataDir: string; dataKeys: DataKeysConfig }): string {
  return dataKeys.file ?? join(dataDir, 'keys', 'data-keys');
}
