/**
 * Chains into contained resources: "a chained condition will be evaluated inside contained resources"
 * (https://hl7.org/fhir/R4/search.html#contained). No index has what they hold: resources with a reference to one have a key that says
 * so, and these are read and asked in memory.
 */
import { clauseTest } from './clause-test.ts';
import { keysCondition } from './conditions.ts';
import { overlaps, textHolds } from './filter-tests.ts';
import { keyKind, keyText } from './keys.ts';
import { createTester, noTenant } from './match.ts';
import type { Parameter } from './parameters.ts';
import { tooCostly } from './refusals.ts';
import type { Criterion } from './request.ts';
import { seenCondition } from './row-limits.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { createSqlValues } from './sql-values.ts';
import { resolveCodes } from './terminology-clauses.ts';
import { localReference } from './token-facts.ts';

type Chain = Extract<Criterion, { kind: 'chain' }>;

/** What a chain may point to outside; undefined when that is too much. */
type TargetsOf = (chain: Chain) => Promise<ChainEnds | undefined>;

/** The resources at the far end of a chain, as references name them. */
export interface ChainEnds {
  /** `Type/id`, and canonicals with their version. */
  references: readonly string[];
  /** Canonicals without a version. */
  newest: readonly string[];
}

export interface Contained {
  resourceType?: unknown;
  id?: unknown;
}

/** Asked of a resource without a row; `beside` are all that are contained in the same one. */
type Question = (resource: Contained, beside: readonly Contained[]) => boolean;

/** Rows read at a time: parsing them holds everybody else up for some milliseconds. */
const batchSize = 500;

/** Ids of the resources whose reference leads to one inside of which the chain holds. Ends with the time of the search. */
export async function containedMatches(search: RunningSearch, chain: Chain, targetsOf: TargetsOf): Promise<string[]> {
  const ids: string[] = [];
  let question: Question | undefined;
  for (let after = ''; ; ) {
    const rows = await rowsWithContained(search, chain.parameter, after);
    if (rows.length === 0) return ids;
    question ??= await asksOf(search, chain, targetsOf);
    for (const { id, content } of rows) {
      const resource = JSON.parse(content) as Contained & { contained?: readonly Contained[] };
      if (question(resource, resource.contained ?? [])) ids.push(id);
    }
    if (rows.length < batchSize) return ids;
    after = rows.at(-1)!.id;
  }
}

async function rowsWithContained(
  search: RunningSearch,
  { resourceType, code }: Parameter,
  after: string,
): Promise<{ id: string; content: string }[]> {
  const values = createSqlValues(search.tenant, after);
  const key = keysCondition([keyText(search.tenant, code, keyKind.contained)], { hasher: search.hasher, values });
  const seen = seenCondition(search.rows, resourceType, values);
  // OFFSET 0: the planner, which knows nothing of so rare a key, must not look for it along the ids.
  return search.sql.query(
    `SELECT r.id, r.content FROM (SELECT r.id, r.content FROM ${tableOf(resourceType)} r
       WHERE r.tenant = $1 AND NOT r.deleted AND ${key}${seen === undefined ? '' : ` AND ${seen}`} OFFSET 0) r
     WHERE r.id > $2 ORDER BY r.id LIMIT ${batchSize}`,
    values.list,
  );
}

/** What a criterion asks of a definition of the program's own. */
export async function ownQuestion(
  search: RunningSearch,
  criterion: Criterion,
  targetsOf: TargetsOf,
): Promise<(resource: Contained) => boolean> {
  const question = await questionOf(search, criterion, targetsOf, true);
  return (resource) => question(resource, []);
}

/** What a criterion asks of a resource without a row of its own. */
async function questionOf(
  search: RunningSearch,
  criterion: Criterion,
  targetsOf: TargetsOf,
  isKnownById = false,
): Promise<Question> {
  switch (criterion.kind) {
    case 'clause': {
      const clause = await resolveCodes(search, criterion.clause);
      // An id inside names nothing outside: no other resource may be taken for the one it is said of.
      if (!isKnownById && ['_id', '_lastUpdated'].includes(clause.parameter.code)) return never;
      const { nowMs, registry } = search;
      const test = clauseTest(clause, { tenant: noTenant, nowMs, types: registry.types });
      const passes = createTester([clause.parameter]);
      return (resource) => passes(test, resource);
    }
    case 'all':
    case 'any': {
      const questions: Question[] = [];
      for (const part of criterion.of) questions.push(await questionOf(search, part, targetsOf, isKnownById));
      return criterion.kind === 'all'
        ? (...of) => questions.every((question) => question(...of))
        : (...of) => questions.some((question) => question(...of));
    }
    case 'not': {
      const question = await questionOf(search, criterion.of, targetsOf, isKnownById);
      return (...of) => !question(...of);
    }
    case 'chain': {
      const outside = await targetsOf(criterion);
      if (!outside) throw tooCostly(`The chain through ${criterion.parameter.code} has too many targets`);
      const known = new Set([...outside.references, ...outside.newest]);
      const inside = await asksOf(search, criterion, targetsOf);
      const { parameter } = criterion;
      return (resource, beside) =>
        inside(resource, beside) ||
        referencesOf(parameter, resource).some(
          (reference) => known.has(reference) || known.has(localReference(reference, parameter.shared.base)),
        );
    }
    case 'text':
      return (resource) => textHolds(criterion, resource);
    case 'overlap':
      return (resource) => overlaps(criterion, resource);
    default:
      // Nothing points to what is contained, no List and no compartment has it.
      return never;
  }
}

const never: Question = () => false;

/** Whether a reference of the resource leads to one beside it of which the chain's criterion holds. */
async function asksOf(search: RunningSearch, { parameter, targets }: Chain, targetsOf: TargetsOf): Promise<Question> {
  const questions: { type: string; question: Question }[] = [];
  for (const { type, criterion } of targets)
    questions.push({ type, question: await questionOf(search, criterion, targetsOf) });
  return (resource, beside) =>
    referencesOf(parameter, resource).some((reference) => {
      const target = beside.find(({ id }) => reference === `#${id}`);
      return questions.some(({ type, question }) => target?.resourceType === type && question(target, beside));
    });
}

function referencesOf({ select }: Parameter, resource: unknown): string[] {
  return select(resource).flatMap((value) => {
    const reference = typeof value === 'string' ? value : (value as { reference?: unknown } | null)?.reference;
    return typeof reference === 'string' ? [reference] : [];
  });
}
