/**
 * Secrets come from the environment `X` or from the file that `X_FILE` names, never from anywhere else (SE-1): a file can be handed
 * over by an orchestrator, is not shown in a list of processes, and can be replaced while the server runs.
 */
import { ConfigError } from './config-error.ts';
import { type Environment, fileText, given } from './variables.ts';

/** Reads the secret as it is now: a file is read each time, so that a replaced one counts from the next use on. */
export type Secret = () => string;

/** A key or a password is short; whoever names another file by mistake is told so. */
const longestSecretBytes = 64 * 1024;

/** @throws ConfigError when `X` and `X_FILE` are both set, or the file cannot be used. */
export function secret(env: Environment, name: string): Secret | undefined {
  const value = given(env, name);
  const file = given(env, `${name}_FILE`);
  if (value !== undefined && file !== undefined)
    throw new ConfigError(`${name} et ${name}_FILE sont donnés tous les deux : ne gardez que l’un.`);
  if (file === undefined) return value === undefined ? undefined : () => value;
  let last = readSecretFile(name, file);
  return () => {
    try {
      last = readSecretFile(name, file);
    } catch {
      // Being replaced just now: what was good a moment ago is tried once more.
    }
    return last;
  };
}

/** The same, read once. @throws ConfigError */
export function secretText(env: Environment, name: string): string | undefined {
  return secret(env, name)?.();
}

function readSecretFile(name: string, file: string): string {
  const text = fileText(`${name}_FILE`, file).trim();
  if (text === '') throw new ConfigError(`${name}_FILE=${file} : fichier vide.`);
  if (text.length > longestSecretBytes)
    throw new ConfigError(`${name}_FILE=${file} : fichier trop long pour un secret.`);
  return text;
}
