/** What an act owes beside its report (WF-8): a second reading, a complement; by `mappings/acts/rules.json`, overridden by site. */
import { readFileSync } from 'node:fs';
import type { CodeableConcept, Coding, Organization, ServiceRequest } from '@medplum/fhirtypes';
import { Ajv } from 'ajv';
import { identifierSystem } from '../codes.ts';

export const owings = ['second-reading', 'complement'] as const;
export type Owed = (typeof owings)[number];

/** Applies when one of the acts was asked or done, and all words are said in the request or the act. */
export interface ActRule {
  owes: Owed;
  acts?: readonly { system: string; code: string }[];
  /** Lower case, no accents, no spaces; looked for anywhere. */
  words?: readonly string[];
}

export interface ActRules {
  rules: readonly ActRule[];
  /** The rules of one establishment, by FINESS, in place of all others. */
  sites: readonly { finess: string; rules: readonly ActRule[] }[];
}

const folder = new URL('../../../mappings/acts/', import.meta.url);

/** @throws Error at start when the mapping breaks its schema. */
export function readActRules(text?: string): ActRules {
  const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  const validate = new Ajv({ strict: false }).compile<ActRules>(read('rules.schema.json') as object);
  const rules = text === undefined ? read('rules.json') : JSON.parse(text);
  if (!validate(rules))
    throw new Error(`mappings/acts/rules.json: ${validate.errors?.[0]?.instancePath} ${validate.errors?.[0]?.message}`);
  return rules;
}

const actRules = readActRules();

export interface Act {
  request: Pick<ServiceRequest, 'code' | 'orderDetail' | 'reasonCode' | 'note' | 'bodySite'>;
  /** Acts the establishment says it did (flow 4). */
  done: readonly (CodeableConcept | undefined)[];
  establishment?: Pick<Organization, 'identifier'>;
}

/** What this act owes. */
export function owedBy(act: Act, rules: ActRules = actRules): ReadonlySet<Owed> {
  const finess = act.establishment?.identifier?.find(({ system }) => system === identifierSystem.finess)?.value;
  const own = rules.sites.find((site) => site.finess === finess)?.rules ?? rules.rules;
  const { code, orderDetail = [], reasonCode = [], note = [], bodySite = [] } = act.request;
  const acts = codings([code, ...act.done]);
  const concepts = [code, ...orderDetail, ...reasonCode, ...bodySite, ...act.done];
  const said = plain(
    [
      ...concepts.flatMap((each) => [each?.text, ...(each?.coding ?? []).map(({ display }) => display)]),
      ...note.map(({ text }) => text),
    ].join('|'),
  );
  const applies = (rule: ActRule): boolean =>
    (rule.acts?.some((wanted) => acts.some(({ system, code }) => system === wanted.system && code === wanted.code)) ??
      true) &&
    (rule.words ?? []).every((word) => said.includes(word));
  return new Set(own.filter(applies).map(({ owes }) => owes));
}

const codings = (concepts: readonly (CodeableConcept | undefined)[]): Coding[] =>
  concepts.flatMap((concept) => concept?.coding ?? []);

/** Letters alone: accents, spaces and hyphens differ from one RIS to the next. */
const plain = (text: string): string =>
  text
    .normalize('NFD')
    .toLowerCase()
    .replaceAll(/[^a-z|]/g, '');
