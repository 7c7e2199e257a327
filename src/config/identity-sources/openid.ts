/** OpenID Connect providers people sign in through (SE-3); Pro Santé Connect is one with claims of its own. */
import type { Fields } from '../fields.ts';
import { type Secret, secret } from '../secret.ts';
import type { Environment } from '../variables.ts';
import { type Grant, grantOf, nameOf, variableOf } from './rules.ts';

export interface OpenidSource {
  name: string;
  /** On the button of the sign-in page. */
  label: string;
  tenant: string;
  /** What `iss` must be, to the letter. */
  issuer: string;
  /** Where the metadata are when not where OpenID Discovery puts them. Pro Santé Connect has a name of its own for them. */
  discovery: string | undefined;
  clientId: string;
  /** Undefined: a public client, PKCE alone. */
  secret: Secret | undefined;
  scope: string;
  /** Levels of assurance asked for, of which the answer must name one; empty: whatever the provider does. */
  acrValues: string[];
  /** Where the identity comes from: `sub` and plain claims, or the professional's national id of Pro Santé Connect. */
  profile: 'openid' | 'pro-sante-connect';
  /** Whether who has no account yet gets one when a rule gives a role, or only who was tied to one by an administrator comes in. */
  accounts: 'create' | 'known';
  /** The provider has two factors checked itself (its `acr` says so): ours is not asked on top. */
  secondFactor: boolean;
  rules: OpenidRule[];
}

export interface OpenidRule extends Grant {
  /** A claim, by its name, with this value or with a list that holds it. */
  claim?: { name: string; value: string };
  /** Pro Santé Connect: all that is given must be true of one and the same exercise. */
  exercise?: ExerciseRule;
}

export interface ExerciseRule {
  /** TRE_G15: `10` is a physician. */
  profession: string;
  /** TRE_R38 and others: speciality (`SM44` and so on). */
  skill: string | undefined;
  /** TRE_R09: `C` civilian, `M` military. Students (`E`) have to be named. */
  categories: string[];
  /** FINESS of the place of one of its activities. */
  finess: string | undefined;
}

/** @throws ConfigError */
export function openidSource(fields: Fields, env: Environment): OpenidSource {
  const name = nameOf(fields);
  const profile = fields.oneOf('profile', ['openid', 'pro-sante-connect'], 'openid');
  const isNational = profile === 'pro-sante-connect';
  const acrValues = fields.texts('acrValues');
  const issuer = addressOf(fields, 'issuer', fields.text('issuer'));
  const wallet = isNational ? `${issuer}/.well-known/wallet-openid-configuration` : undefined;
  const source: OpenidSource = {
    name,
    label: fields.text('label', isNational ? 'Pro Santé Connect' : name),
    tenant: fields.text('tenant'),
    issuer,
    discovery: fields.has('discovery') ? addressOf(fields, 'discovery', fields.text('discovery')) : wallet,
    clientId: fields.text('clientId'),
    secret: secret(env, variableOf('OPENID', name, 'SECRET')),
    scope: fields.text('scope', isNational ? 'openid scope_all' : 'openid profile'),
    acrValues: acrValues.length === 0 && isNational ? ['eidas1'] : acrValues,
    profile,
    accounts: fields.oneOf('accounts', ['create', 'known'], 'known'),
    secondFactor: fields.flag('secondFactor', false),
    rules: fields.objects('rules').map((rule) => ruleOf(rule, profile)),
  };
  if (!source.scope.split(' ').includes('openid')) throw fields.error('scope', 'un scope qui contient openid');
  if (source.secondFactor && source.acrValues.length === 0) {
    throw fields.error('secondFactor', 'false sans acrValues : rien ne prouverait le second facteur');
  }
  if (source.accounts === 'create' && source.rules.length === 0) throw fields.error('rules', 'au moins une règle');
  fields.done();
  return source;
}

/** https everywhere but on this machine itself. */
function addressOf(fields: Fields, name: string, text: string): string {
  const url = URL.parse(text);
  const isLocal = url && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) || url.hash) {
    throw fields.error(name, 'une adresse https');
  }
  return text;
}

function ruleOf(rule: Fields, profile: OpenidSource['profile']): OpenidRule {
  const grant = grantOf(rule);
  const profession = profile === 'pro-sante-connect' ? rule.optionalText('profession') : undefined;
  const exercise: ExerciseRule | undefined =
    profession === undefined
      ? undefined
      : {
          profession,
          skill: rule.optionalText('skill'),
          categories: rule.has('categories') ? rule.texts('categories') : ['C', 'M'],
          finess: rule.optionalText('finess'),
        };
  const claim = exercise ? undefined : { name: rule.text('claim'), value: rule.text('value') };
  rule.done();
  return { ...grant, ...(exercise ? { exercise } : {}), ...(claim ? { claim } : {}) };
}
