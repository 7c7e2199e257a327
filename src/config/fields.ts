/** Reading an object of a JSON configuration file: each field checked as it is read, and what nobody read is a spelling mistake. */
import { ConfigError } from './config-error.ts';

const longestText = 2_000;
const longestList = 1_000;

/** Every method throws `ConfigError` naming the place (`ldap[0].people.base`) and what is expected there. */
export interface Fields {
  readonly where: string;
  has(name: string): boolean;
  text(name: string, fallback?: string): string;
  optionalText(name: string): string | undefined;
  /** Absent: empty. */
  texts(name: string): string[];
  flag(name: string, fallback: boolean): boolean;
  wholeNumber(name: string, range: { fallback: number; from: number; to: number }): number;
  oneOf<const T extends string>(name: string, allowed: readonly T[], fallback?: T): T;
  object(name: string): Fields | undefined;
  /** Absent: empty. */
  objects(name: string): Fields[];
  error(name: string, expected: string): ConfigError;
  /** Call last. */
  done(): void;
}

export function fieldsOf(value: unknown, where: string): Fields {
  if (!isObject(value)) throw new ConfigError(`${where || 'le fichier'} : il faut un objet.`);
  const read = new Set<string>();
  const take = (name: string): unknown => {
    read.add(name);
    return Object.hasOwn(value, name) ? value[name] : undefined;
  };
  const place = (name: string) => (where === '' ? name : `${where}.${name}`);
  const error = (name: string, expected: string) => new ConfigError(`${place(name)} : il faut ${expected}.`);

  const optionalText = (name: string): string | undefined => {
    const found = take(name);
    if (found === undefined) return undefined;
    if (typeof found !== 'string' || found.trim() === '' || found.length > longestText) {
      throw error(name, `un texte de 1 à ${longestText} caractères`);
    }
    return found.trim();
  };
  const list = (name: string, what: string): unknown[] => {
    const found = take(name) ?? [];
    if (!Array.isArray(found) || found.length > longestList) throw error(name, `une liste de ${what}`);
    return found;
  };

  return {
    where,
    error,
    has: (name) => Object.hasOwn(value, name),
    optionalText,
    text(name, fallback) {
      const found = optionalText(name) ?? fallback;
      if (found === undefined) throw error(name, 'un texte');
      return found;
    },
    texts(name) {
      const found = list(name, 'textes');
      if (!found.every((item) => typeof item === 'string' && item.trim() !== '' && item.length <= longestText)) {
        throw error(name, 'une liste de textes');
      }
      return found.map((item) => String(item).trim());
    },
    flag(name, fallback) {
      const found = take(name) ?? fallback;
      if (typeof found !== 'boolean') throw error(name, 'true ou false');
      return found;
    },
    wholeNumber(name, { fallback, from, to }) {
      const found = take(name) ?? fallback;
      if (!Number.isInteger(found) || Number(found) < from || Number(found) > to) {
        throw error(name, `un entier de ${from} à ${to}`);
      }
      return Number(found);
    },
    oneOf(name, allowed, fallback) {
      const found = optionalText(name) ?? fallback;
      const known = allowed.find((candidate) => candidate === found);
      if (known === undefined) throw error(name, `l’un de ${allowed.join(', ')}`);
      return known;
    },
    object(name) {
      const found = take(name);
      return found === undefined ? undefined : fieldsOf(found, place(name));
    },
    objects: (name) => list(name, 'objets').map((item, index) => fieldsOf(item, `${place(name)}[${index}]`)),
    done() {
      const unknown = Object.keys(value).find((name) => !read.has(name));
      if (unknown !== undefined) throw new ConfigError(`${place(unknown)} : ce réglage n’existe pas.`);
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
