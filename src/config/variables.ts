/** Reading one variable of the environment: an empty one is as good as absent, a wrong one is refused by its name. */
import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

export type Environment = Record<string, string | undefined>;

export function given(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

/** Entries separated by commas; none when absent. */
export function listed(env: Environment, name: string): string[] {
  return (given(env, name) ?? '').split(',').flatMap((entry) => entry.trim() || []);
}

/** @throws ConfigError naming what is allowed. */
export function oneOf<const T extends string>(
  env: Environment,
  name: string,
  allowed: readonly T[],
  fallback: NoInfer<T>,
): T {
  const value = given(env, name) ?? fallback;
  const found = allowed.find((candidate) => candidate === value);
  if (!found) throw new ConfigError(`${name}=${value} est inconnu : donnez l’un de ${allowed.join(', ')}.`);
  return found;
}

/** 0: any free port. @throws ConfigError */
export function port(env: Environment, name: string): number | undefined {
  const value = given(env, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw new ConfigError(`${name}=${value} n’est pas un port : donnez un entier de 0 (un port libre) à 65535.`);
  return number;
}

/** Text of the file a variable names. @throws ConfigError */
export function fileText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${name}=${path} : fichier illisible (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** Content of the JSON file a variable names; undefined when it names none. @throws ConfigError */
export function jsonFile(env: Environment, name: string): unknown {
  const path = given(env, name);
  if (path === undefined) return undefined;
  const text = fileText(name, path);
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(`${name}=${path} n’est pas du JSON.`);
  }
}
