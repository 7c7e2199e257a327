/** Puts the terminology together: sources in their order, the cache of parsed systems, answers for the other parts. */
import type { Database, Sql } from '../../db/index.ts';
import { openBudget } from './budget.ts';
import { createCache } from './cache.ts';
import { parseCanonical } from './canonical.ts';
import { anyVersion, canonicalOf, composeParts } from './compose.ts';
import type { Coding, Terminology } from './contract.ts';
import { type Library, type LibraryScope, openLibrary, type StoredSearch } from './library.ts';
import type { MemoryContent } from './memory-content.ts';
import { ownDefinitions } from './own.ts';
import { tooCostly } from './problems.ts';
import { r4Definitions, type TerminologyResource, type TerminologyType } from './r4.ts';
import { enumerate } from './selection.ts';
import { validateInSystem, validateInValueSet } from './validate.ts';

export interface TerminologyOptions {
  database: Database;
  /** Searches stored resources. */
  search: StoredSearch;
  /** Definitions of other rooms, beside those of `fhir-profiles/`; read at the first question. */
  definitions?: () => readonly TerminologyResource[];
  /** Folder of our own definitions; `fhir-profiles/` when absent. */
  profilesFolder?: string;
}

/** The terminology and what its operations are made of. */
export interface TerminologyRoom extends Terminology {
  library(scope: LibraryScope): Library;
  /** One of our own definitions by its id. */
  ownById(type: TerminologyType, id: string): TerminologyResource | undefined;
}

/** Parsed systems kept, in concepts: about 10 MB. */
const cachedConcepts = 20_000;
/** Codes a search by `:in` may stand for. */
const expandLimit = 10_000;
/** Codes a search by `:above` or `:below` may stand for. */
const relatedLimit = 50_000;

export function createTerminology(options: TerminologyOptions): TerminologyRoom {
  const own = ownDefinitions(options.definitions, options.profilesFolder);
  const parts = {
    search: options.search,
    definitions: [own, r4Definitions()],
    contents: createCache<MemoryContent>(cachedConcepts, ({ concepts }) => concepts.length + 1),
  };
  const library = (scope: LibraryScope) => openLibrary(parts, scope);

  function answers(sqlOf: (tenant: string) => Sql): Terminology {
    const open = (tenant: string) => library({ tenant, sql: sqlOf(tenant) });
    return {
      expand: (tenant, valueSet, limit = expandLimit) => expandCodes(open(tenant), valueSet, limit),
      async related(tenant, { system, code }, direction) {
        return (await open(tenant).codeSystem(parseCanonical(system)))?.related(code, direction, relatedLimit);
      },
      async validateCode(tenant, { valueSet, system, code, display }) {
        const opened = open(tenant);
        const question = { code, ...(display === undefined ? {} : { display }) };
        if (valueSet === undefined) {
          if (system === undefined) return undefined;
          const answer = await validateInSystem(opened, parseCanonical(system), question);
          return answer && validity(answer);
        }
        const set = await opened.valueSet(valueSet);
        if (!set) return undefined;
        return validity(await validateInValueSet(opened, set, { ...question, ...(system ? { system } : {}) }));
      },
      over: (sql) => answers(() => sql),
    };
  }

  const pooled = (tenant: string): Sql => ({
    query: ((statement: string | { text: string; values?: readonly unknown[] }, values?: readonly unknown[]) =>
      options.database.query(tenant, statement, values)) as Sql['query'],
  });
  return { ...answers(pooled), library, ownById: own.byId };
}

function validity({ valid, display, inactive }: { valid: boolean; display?: string; inactive?: boolean }) {
  return { valid, ...(display === undefined ? {} : { display }), ...(inactive ? { inactive } : {}) };
}

async function expandCodes(library: Library, reference: string, limit: number): Promise<Coding[] | undefined> {
  const valueSet = await library.valueSet(reference);
  if (!valueSet) return undefined;
  const codings: Coding[] = [];
  const budget = openBudget();
  for (const part of await composeParts(library, valueSet, anyVersion, new Set(), budget)) {
    budget.time();
    const system = await library.codeSystem(canonicalOf(part));
    const concepts = system
      ? (await system.select(part.selection, { offset: 0, limit: limit + 1 })).concepts
      : enumerate(part.selection);
    if (!concepts) return undefined;
    codings.push(...concepts.map(({ code }) => ({ system: part.system, code })));
    if (codings.length > limit) throw tooCostly(`The value set has more than ${limit} codes`);
  }
  return codings;
}
