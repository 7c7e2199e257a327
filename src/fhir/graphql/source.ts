/** Resources for a query: each access asked for by its type, each resource read once, all of them told to the audit trail. */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { GraphQLError } from 'graphql';
import { FhirError, type OperationCall } from '../contract.ts';
import { parsed, readsOf } from '../operations/reads.ts';
import { targetOf } from '../operations/targets.ts';
import { isId } from '../validation/index.ts';
import type { Source } from './execute.ts';
import type { Budget } from './limits.ts';
import { cursorOf, searchAsked } from './search-arguments.ts';

const defaultCount = 50;

export interface ResourceSource extends Source {
  /** An instance to begin with. @throws FhirError 404, 410. */
  instance(type: ResourceType, id: string): Promise<Resource>;
  /** Everything that was read. */
  shown(): Resource[];
}

export function createSource(call: OperationCall, budget: Budget): ResourceSource {
  const reads = readsOf(call);
  const known = new Map<string, Resource>();
  const allow = permits(call);
  const stored = new WeakSet<object>();
  /** What each contained resource is in: its references are to its neighbours. */
  const holders = new WeakMap<object, Resource>();

  function keep(resource: Resource): Resource {
    known.set(`${resource.resourceType}/${resource.id}`, resource);
    stored.add(resource);
    for (const inside of (resource as { contained?: Resource[] }).contained ?? []) holders.set(inside, resource);
    return resource;
  }

  async function read(type: ResourceType, id: string): Promise<Resource> {
    allow('read', type, id);
    const resource = known.get(`${type}/${id}`);
    if (resource) return resource;
    budget.resources(1);
    return keep(await call.tx.read(type, id));
  }

  async function search(type: string, args: ReadonlyMap<string, unknown>, scope: object | undefined, extra = '') {
    // Its id is a name inside another resource, or elsewhere: what is stored under the same id is somebody else's.
    if (scope !== undefined && !stored.has(scope))
      throw new GraphQLError('A search is made inside a resource of this server, not in one that is contained');
    const asked = searchAsked(args);
    allow('search-type', type as ResourceType);
    const query = [asked.query, pointing(asked.reference, scope, args), extra].filter(Boolean).join('&');
    const page = await reads.searchBundle(type as ResourceType, query, { defaultCount });
    budget.resources(page.matches.length);
    return { page, resources: page.matches.map((version) => keep(parsed(version))) };
  }

  return {
    instance: read,
    shown: () => [...known.values()],
    async read(type, args) {
      const id = args.get('id') ?? args.get('_id');
      if (typeof id !== 'string' || !isId(id) || args.size > 1) throw new GraphQLError(`${type} takes an id`);
      return read(type as ResourceType, id);
    },
    list: async (type, args, scope) => (await search(type, args, scope)).resources,
    async connection(type, args, scope, counts) {
      const isTotal = counts && !args.has('_cursor');
      const { page, resources } = await search(type, args, scope, isTotal ? '_total=accurate' : '');
      const cursor = (name: 'first' | 'previous' | 'next' | 'last') => {
        const query = (page as unknown as Record<string, unknown>)[name];
        return typeof query === 'string' ? { [name]: cursorOf(query) } : {};
      };
      return {
        ...(page.total === undefined ? {} : { count: page.total }),
        pagesize: resources.length,
        edges: resources.map((resource) => ({ mode: 'match', resource })),
        ...{ ...cursor('first'), ...cursor('previous'), ...cursor('next'), ...cursor('last') },
      };
    },
    async target(reference, args, scope) {
      const { reference: text, type: said } = reference as { reference?: string; type?: string };
      const isOptional = args.get('optional') === true;
      if (typeof text !== 'string') return undefined;
      if (text.startsWith('#'))
        return contained(holders.get(scope ?? reference) ?? scope, text.slice(1), args.get('type'));
      const target = targetOf(text, call.base);
      const wanted = args.get('type');
      if (wanted !== undefined && wanted !== (target?.type ?? said)) return undefined;
      if (!target) {
        if (isOptional) return undefined;
        throw new GraphQLError('The reference is not to a resource of this server');
      }
      try {
        return await read(target.type, target.id);
      } catch (error) {
        if (isOptional && error instanceof FhirError && (error.status === 404 || error.status === 410))
          return undefined;
        throw error;
      }
    },
  };
}

/** `_reference` makes a search one of what points to the resource in scope; without it there is none to point to. */
function pointing(
  parameter: string | undefined,
  scope: object | undefined,
  args: ReadonlyMap<string, unknown>,
): string {
  const { resourceType, id } = (scope ?? {}) as { resourceType?: string; id?: string };
  if (!resourceType || !id) {
    if (parameter !== undefined) throw new GraphQLError('_reference is for searches inside a resource');
    return '';
  }
  if (parameter === undefined) throw new GraphQLError('A search inside a resource says by which parameter: _reference');
  // A cursor carries the whole query already.
  return args.has('_cursor') ? '' : `${parameter}=${encodeURIComponent(`${resourceType}/${id}`)}`;
}

function contained(scope: object | undefined, id: string, type: unknown): Resource | undefined {
  const { contained: inside = [] } = (scope ?? {}) as { contained?: Resource[] };
  return inside.find((resource) => resource.id === id && (type === undefined || resource.resourceType === type));
}

/** Each refusal is an entry of the audit trail: the same one is not asked for a thousand times. */
function permits({ authorize }: OperationCall) {
  const refused = new Map<string, FhirError>();
  return (interaction: string, type: ResourceType, id?: string): void => {
    const known = refused.get(`${interaction} ${type}`);
    if (known) throw known;
    try {
      authorize({ interaction, type, ...(id === undefined ? {} : { id }) });
    } catch (error) {
      if (error instanceof FhirError && error.status === 403) refused.set(`${interaction} ${type}`, error);
      throw error;
    }
  };
}
