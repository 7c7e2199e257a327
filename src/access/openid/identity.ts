/** From verified claims to a person: plain OpenID Connect (Core §5.1), or Pro Santé Connect's national identity. */
import type { OpenidSource } from '../../config/index.ts';
import { rppsOf } from '../federation/practitioner.ts';
import { type Claims, textOf } from './claims.ts';
import { exercisesOf, fulfils, nationalIdOf } from './pro-sante-connect.ts';

export interface Identity {
  /** Unchanging id at the provider: `sub`, or the professional's national id. */
  subject: string;
  /** What an account made for them is called. */
  login: string;
  family: string;
  given: string;
  /** 11 digits. */
  rpps?: string;
}

const longestName = 100;
const longestSubject = 255;

/** Undefined when the claims name nobody, or two. */
export function identityOf(claims: Claims, source: Pick<OpenidSource, 'profile'>): Identity | undefined {
  const family = textOf(claims.family_name).slice(0, longestName);
  const given = textOf(claims.given_name).slice(0, longestName);
  if (source.profile === 'pro-sante-connect') {
    const national = nationalIdOf(claims);
    if (national === undefined) return undefined;
    const rpps = rppsOf(national);
    const login = loginOf(rpps ?? national);
    return { subject: national, login, family: family || login, given, ...(rpps ? { rpps } : {}) };
  }
  const subject = textOf(claims.sub);
  if (subject === '' || subject.length > longestSubject) return undefined;
  const login = loginOf(textOf(claims.preferred_username) || textOf(claims.email) || subject);
  return { subject, login, family: family || textOf(claims.name).slice(0, longestName) || login, given };
}

/** What the rules of the source give this person: the union of those that are true of them. */
export function grantsOf(
  claims: Claims,
  { rules }: Pick<OpenidSource, 'rules'>,
): { roles: string[]; establishments: string[] } {
  const exercises = exercisesOf(claims);
  const granted = rules.filter(({ claim, exercise }) => {
    if (exercise) return exercises.some((one) => fulfils(one, exercise));
    return claim !== undefined && valuesOf(claims[claim.name]).includes(claim.value);
  });
  return {
    roles: [...new Set(granted.flatMap((rule) => rule.roles))],
    establishments: [...new Set(granted.flatMap((rule) => rule.establishments))],
  };
}

/** As an account may be called; the letters it cannot have become hyphens. */
function loginOf(text: string): string {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return folded
    .replace(/[^a-z0-9._@-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
}

function valuesOf(claim: unknown): unknown[] {
  return Array.isArray(claim) ? claim : [claim];
}
