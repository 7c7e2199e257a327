/** Passwords: argon2id, and the rules of the tender (SE-2) as they apply when one is chosen. */
import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { isCommonPassword } from './common-passwords.ts';
import { policiesOf } from './policy.ts';

/**
 * OWASP's second configuration for argon2id: 19 MiB, 2 passes, 1 lane. About 30 ms of one core each; with `atOnce` verifications
 * running, a flood of sign-ins costs at most 40 MB and leaves the other requests their turns.
 */
const memoryCostKiB = 19_456;
const timeCost = 2;
const parallelism = 1;
const atOnce = 2;
/** More waiting than this and sign-in answers "too many": the queue would outlast the callers. */
const waitingAtMost = 100;

const minimumLength = 9;
const minimumAdministratorLength = 14;
/** Longer input is refused before hashing: a hash of a megabyte is a way to slow the server down. */
export const maximumPasswordLength = 256;

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** @returns false for a wrong password and for a missing hash, after the same work. */
  verify(stored: string | undefined, password: string): Promise<boolean>;
  /** True when so many are waiting that another should be refused. */
  readonly overloaded: boolean;
}

/** The same characters whatever keyboard made them: one system sends an accented letter as one code point, another as two. */
function composed(password: string): string {
  return password.normalize('NFC');
}

/** Hashing with a bound on how many run at the same time. */
export function createPasswordHasher(): PasswordHasher {
  const options = { memoryCost: memoryCostKiB, timeCost, parallelism };
  let running = 0;
  const waiting: (() => void)[] = [];
  /** What an unknown account is compared with, so that it takes as long as a known one. */
  let decoy: Promise<string> | undefined;

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  }

  return {
    hash: (password) => bounded(() => hash(composed(password), options)),
    async verify(stored, password) {
      decoy ??= hash(crypto.randomUUID(), options);
      const against = stored ?? (await decoy);
      const same = await bounded(() => verify(against, composed(password)));
      return stored !== undefined && same;
    },
    get overloaded() {
      return waiting.length >= waitingAtMost;
    },
  };
}

/** Whom a password is for. The grade is part of the name as it is displayed (`Médecin en chef …`). */
export interface PasswordHolder {
  login: string;
  display: string;
  roles: readonly string[];
}

/**
 * What is wrong with a new password, in French for the person who chose it; empty when nothing is. SE-2: "composé au minimum de 9
 * caractères" (14 for administrators), "au moins trois des catégories suivantes", "ne contient pas tout ou partie de l'identifiant, du
 * nom de l'utilisateur, de son rôle ou de son grade". Beyond it: nothing that guessers try first.
 */
export function passwordProblems(password: string, account: PasswordHolder): string[] {
  const problems: string[] = [];
  const minimum = minimumLengthFor(account.roles);
  if ([...password].length < minimum) problems.push(`Le mot de passe doit compter au moins ${minimum} caractères.`);
  if (password.length > maximumPasswordLength) {
    problems.push(`Le mot de passe ne doit pas dépasser ${maximumPasswordLength} caractères.`);
  }
  const classes = [/\p{Ll}/u, /\p{Lu}/u, /[0-9]/, /[^\p{L}\p{Nd}]/u].filter((kind) => kind.test(password)).length;
  if (classes < 3) {
    problems.push('Le mot de passe doit mêler trois sortes de caractères : minuscules, majuscules, chiffres, autres.');
  }
  if (namesHolder(password, account)) {
    problems.push("Le mot de passe ne doit contenir ni tout ni partie de l'identifiant, du nom, du grade ou du rôle.");
  }
  if (isCommonPassword(fold(password))) {
    problems.push('Ce mot de passe est trop courant : choisissez des mots que personne n’attend de vous.');
  }
  return problems;
}

/** Fewest characters of a password of somebody with these roles. */
export function minimumLengthFor(roles: readonly string[]): number {
  return roles.includes('administrator') ? minimumAdministratorLength : minimumLength;
}

/** Draws that break a rule (a short name inside, a class missing) are few; so many in a row mean that no text can do. */
const drawsAtMost = 1_000;

/** A password made for somebody: 120 random bits within the rules. */
export function makePassword(account: PasswordHolder): string {
  for (let draw = 0; draw < drawsAtMost; draw += 1) {
    const password = randomBytes(15).toString('base64url');
    if (passwordProblems(password, account).length === 0) return password;
  }
  throw new Error('No password keeps the rules for this account');
}

/** "Partie": this many characters in a row of a word; of a shorter word, the word. Two letters (`Dr`) are in anything. */
const telltaleLength = 4;
const shortestWord = 3;

function namesHolder(password: string, { login, display, roles }: PasswordHolder): boolean {
  const folded = fold(password);
  const rolesInFrench = policiesOf(roles).map((policy) => policy.title);
  const words = [login, display, ...roles, ...rolesInFrench].flatMap((text) => [
    fold(text),
    ...fold(text).split(/[^\p{L}\p{N}]+/u),
  ]);
  return words
    .filter((word) => word.length >= shortestWord)
    .some((word) => partsOf(word).some((part) => folded.includes(part)));
}

function partsOf(word: string): string[] {
  if (word.length <= telltaleLength) return [word];
  return Array.from({ length: word.length - telltaleLength + 1 }, (_, at) => word.slice(at, at + telltaleLength));
}

/** Without accents and capitals, so that "Éléonore" is found in "ELEONORE1". */
export function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
