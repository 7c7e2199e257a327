/**
 * Search parameters of a tenant's own: its stored, active SearchParameters (https://hl7.org/fhir/R4/searchparameter.html). New rows are
 * indexed by them at once; they can be searched by when a reindex has gone over what was there before, for a search that silently
 * misses the older half would be worse than none.
 */
import type { SearchParameter } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import type { SearchDefinitions, SearchParameterDefinition } from '../definitions/search-parameters.ts';
import { createParameterRegistry, type Interpreter, type ParameterRegistry } from '../search/parameters.ts';
import { definitionHash, readIndexState } from './index-state.ts';

/** How long another node's change may go unseen. */
const believedForMs = 2_000;
const parametersAtMost = 200;
/** Composites need their components' definitions, special ones their own code. */
const supported: readonly string[] = ['number', 'date', 'string', 'token', 'reference', 'quantity', 'uri'];

/** One usable parameter of a tenant. */
export interface OwnParameter {
  /** Id of the SearchParameter. */
  id: string;
  bases: readonly string[];
  definition: SearchParameterDefinition;
  /** Changes when what is indexed changes. */
  hash: string;
}

/** A stored SearchParameter that is not used, and why. */
export interface UnusedParameter {
  id: string;
  reason: string;
}

export interface TenantParameters {
  own: readonly OwnParameter[];
  unused: readonly UnusedParameter[];
  /** What is indexed. */
  indexing: ParameterRegistry;
  /** What can be searched by. */
  searching: ParameterRegistry;
}

export interface OwnParameters {
  /** Resolves at once when nothing has to be looked up. */
  fresh(tenant: string): Promise<TenantParameters> | TenantParameters;
  /** What was known last; the program's own parameters when nothing was looked up yet. */
  last(tenant: string): TenantParameters;
  /** Looks again before the next answer: something changed here. */
  forget(tenant: string): void;
}

export interface OwnParametersOptions {
  database: Database;
  definitions: SearchDefinitions;
  /** Parameters of the program, which no tenant can replace. */
  registry: ParameterRegistry;
  interpret: Interpreter;
  base?: () => string | undefined;
}

export function createOwnParameters(options: OwnParametersOptions): OwnParameters {
  const { database, registry } = options;
  const none: TenantParameters = { own: [], unused: [], indexing: registry, searching: registry };
  const known = new Map<string, { parameters: TenantParameters; state: string; until: number }>();
  const loading = new Map<string, Promise<TenantParameters>>();
  /** Changes seen here, by tenant: a look that began before one tells nothing. */
  const changes = new Map<string, number>();

  async function load(tenant: string): Promise<TenantParameters> {
    const begun = changes.get(tenant);
    const { rows } = await database.query<{ content: string }>(
      tenant,
      'SELECT content FROM fhir.searchparameter WHERE tenant = $1 AND NOT deleted ORDER BY id LIMIT $2',
      [tenant, parametersAtMost],
    );
    const ready = rows.length > 0 ? await readIndexState(database, tenant) : new Map<string, string>();
    // Compiled registries are kept as long as what they were made from is the same.
    const state = JSON.stringify([rows.map(({ content }) => content), [...ready]]);
    const before = known.get(tenant);
    const parameters = before?.state === state ? before.parameters : put(rows, ready);
    if (changes.get(tenant) !== begun) return load(tenant);
    known.set(tenant, { parameters, state, until: performance.now() + believedForMs });
    return parameters;
  }

  function put(rows: readonly { content: string }[], ready: ReadonlyMap<string, string>): TenantParameters {
    const own: OwnParameter[] = [];
    const unused: UnusedParameter[] = [];
    for (const { content } of rows) {
      const resource = JSON.parse(content) as SearchParameter & { id: string };
      const reason = unusable(resource, own);
      if (reason) unused.push({ id: resource.id, reason });
      else own.push(usable(resource));
    }
    if (own.length === 0) return { ...none, unused };
    const made = own.filter(({ id, hash }) => ready.get(id) === hash);
    return { own, unused, indexing: registryOf(own), searching: made.length > 0 ? registryOf(made) : registry };
  }

  function registryOf(own: readonly OwnParameter[]): ParameterRegistry {
    const extended = createParameterRegistry(
      extendedBy(options.definitions, own),
      forgiving(options.interpret),
      options.base ?? (() => undefined),
    );
    const bases = new Set(own.flatMap(({ bases }) => bases));
    // Types without a parameter of the tenant's share what is compiled already.
    return { types: registry.types, of: (type) => (bases.has(type) ? extended : registry).of(type) };
  }

  function unusable(resource: SearchParameter, own: readonly OwnParameter[]): string | undefined {
    const { status, code, type, expression, base } = resource;
    if (status !== 'active') return `it is ${status}`;
    if (!supported.includes(type)) return `parameters of type ${type} are the program's`;
    if (!expression) return 'it has no expression';
    const bases = base.filter((name) => registry.types.has(name));
    if (bases.length !== base.length) return 'its base is no resource type';
    if (bases.some((name) => name === 'AuditEvent')) return 'AuditEvents cannot be indexed anew';
    if (bases.some((name) => registry.of(name).has(code))) return 'the program has a parameter of that name';
    if (
      own.some((other) => other.definition.code === code && other.bases.some((name) => bases.includes(name as never)))
    )
      return 'another of the tenant has that name';
    try {
      const { definition } = usable(resource);
      const tried = createParameterRegistry(
        extendedBy(options.definitions, [{ id: '', bases, definition, hash: '' }]),
        options.interpret,
      );
      for (const name of bases) tried.of(name).get(code)!.select({ resourceType: name });
      return undefined;
    } catch {
      return 'its expression is not understood';
    }
  }

  function fresh(tenant: string): Promise<TenantParameters> | TenantParameters {
    const entry = known.get(tenant);
    if (entry && entry.until > performance.now()) return entry.parameters;
    let work = loading.get(tenant);
    if (!work) {
      work = load(tenant).finally(() => loading.delete(tenant));
      loading.set(tenant, work);
    }
    return work;
  }

  return {
    fresh,
    last: (tenant) => known.get(tenant)?.parameters ?? none,
    forget(tenant) {
      const entry = known.get(tenant);
      if (entry) entry.until = 0;
      changes.set(tenant, (changes.get(tenant) ?? 0) + 1);
    },
  };
}

/** An expression of a tenant's that fails on some content finds nothing there: it must not stand in the way of writing it. */
function forgiving(interpret: Interpreter): Interpreter {
  return (expression) => {
    const select = interpret(expression);
    return (resource) => {
      try {
        return select(resource);
      } catch {
        return [];
      }
    };
  };
}

/** Says whether the same is indexed: undefined when nothing is. */
export function hashOf(resource: SearchParameter): string | undefined {
  return resource.status === 'active' ? usable(resource).hash : undefined;
}

function usable(resource: SearchParameter & { id?: string }): OwnParameter {
  const definition: SearchParameterDefinition = {
    code: resource.code,
    type: resource.type as SearchParameterDefinition['type'],
    expression: resource.expression!,
    url: resource.url,
    target: resource.target ?? [],
  };
  return { id: resource.id ?? '', bases: resource.base, definition, hash: definitionHash([resource.base, definition]) };
}

function extendedBy(definitions: SearchDefinitions, own: readonly OwnParameter[]): SearchDefinitions {
  return {
    ...definitions,
    parameters: (type) => [
      ...definitions.parameters(type),
      ...own.filter(({ bases }) => bases.includes(type)).map(({ definition }) => definition),
    ],
  };
}
