/**
 * An access policy: what one role may do, which rows of patient data it sees and which elements not. Written as a FHIR Basic
 * (fhir-profiles/policies/, profile access-policy), so that whoever is held to it can read it; these are the rules the program runs on.
 */
import type { Basic, Extension } from '@medplum/fhirtypes';
import { isResourceType } from '../../fhir/index.ts';

/** What makes a row of patient data visible. */
export type RowCriterion =
  /** Every row of the tenant. */
  | 'all'
  /** Labelled with an establishment of the account. */
  | 'establishments'
  /** Part of a case the account's person reads or asked for. */
  | 'participation'
  /** Names the account's person as its owner, author, performer or subject. */
  | 'ownership'
  /** Is about a professional, never about a patient: certificates (docs/rota.md). */
  | 'professional'
  /** Is a security incident (docs/access/incidents.md), of the other resources of its type none. */
  | 'incidents'
  /** Of the rows the others make visible, also reports being written. */
  | 'drafts';

export interface Grant {
  types: readonly string[] | 'all';
  interactions: readonly string[];
  /** Nothing: rows of patient data are not seen by this grant. */
  rows: readonly RowCriterion[];
  /** Top-level elements by type. */
  hidden: ReadonlyMap<string, readonly string[]>;
}

export interface Policy {
  role: string;
  /** French, for people. */
  title: string;
  grants: readonly Grant[];
  /** `Type/$name`, or `$name` for the whole system. */
  operations: readonly string[] | 'all';
  dicomweb: readonly string[];
}

const base = 'https://fhir.passerelle.example/StructureDefinition/';
const rowCriteria: readonly string[] = [
  'all',
  'establishments',
  'participation',
  'ownership',
  'professional',
  'incidents',
  'drafts',
  'none',
];
const interactions: readonly string[] = [
  ...['read', 'vread', 'search-type', 'history-instance', 'history-type', 'history-system', 'search-system'],
  ...['create', 'update', 'patch', 'delete'],
];
const transactions: readonly string[] = ['query', 'retrieve', 'store'];

/** @throws Error naming the policy and what is wrong in it: a rule that is not understood must not pass for one that grants nothing. */
export function policyOf(basic: Basic): Policy {
  const coding = basic.code.coding?.[0];
  const role = coding?.code;
  const wrong = (what: string) => new Error(`Access policy ${basic.id ?? ''}: ${what}`);
  if (!role || !coding.display) throw wrong('its code has no role or no display');
  const lines = (basic.extension ?? []).filter(({ url }) => url === `${base}access-grant`);
  const grants: Grant[] = [];
  const operations = new Set<string>();
  const dicomweb = new Set<string>();
  for (const line of lines) {
    const words = (name: string, allowed?: (word: string) => boolean) => {
      const found = wordsOf(line, name);
      const unknown = allowed && found.find((word) => !allowed(word));
      if (unknown !== undefined) throw wrong(`${name} has ${unknown}`);
      return found;
    };
    const types = words('types', (word) => word === '*' || isResourceType(word));
    const rows = words('rows', (word) => rowCriteria.includes(word));
    const asked = words('interactions', (word) => interactions.includes(word));
    if (types.length > 0 !== asked.length > 0) throw wrong('types and interactions go together');
    for (const operation of words('operations', (word) => word === '*' || /^([A-Z]\w+\/)?\$[a-z-]+$/.test(word)))
      operations.add(operation);
    for (const transaction of words('dicomweb', (word) => transactions.includes(word))) dicomweb.add(transaction);
    if (types.length === 0) continue;
    grants.push({
      types: types.includes('*') ? 'all' : types,
      interactions: asked,
      rows: rows.filter((word) => word !== 'none') as RowCriterion[],
      hidden: hiddenIn(words('hidden', (word) => /^[A-Z]\w+\.[a-z]\w*$/.test(word))),
    });
  }
  return {
    role,
    title: coding.display,
    grants,
    operations: operations.has('*') ? 'all' : [...operations],
    dicomweb: [...dicomweb],
  };
}

function wordsOf(line: Extension, name: string): string[] {
  const text = line.extension?.find(({ url }) => url === name)?.valueString ?? '';
  return text.split(/\s+/).filter((word) => word !== '');
}

function hiddenIn(words: readonly string[]): Map<string, readonly string[]> {
  const byType = Map.groupBy(words, (word) => word.slice(0, word.indexOf('.')));
  return new Map([...byType].map(([type, list]) => [type, list.map((word) => word.slice(type.length + 1))]));
}
