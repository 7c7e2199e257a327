/** Existence of the targets of references, checked before commit when the configuration asks for it. */
import type { Resource } from '@medplum/fhirtypes';
import { platformTenant, type Sql } from '../../db/index.ts';
import { FhirError } from '../contract.ts';
import { tableOf } from '../search/scope.ts';
import { localReference } from '../search/token-facts.ts';
import { isSharedType } from './shared-types.ts';

const literalPattern = /^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/;

/** Our own FHIR address. */
type Base = () => string | undefined;
const noBase: Base = () => undefined;

/** Some references lead to nothing. The same outcome as any `FhirError`, with what a Bundle needs to name its entries. */
export class UnresolvedReferences extends FhirError {
  override name = 'UnresolvedReferences';
  /** `Type/id` of what is missing. */
  readonly targets: readonly string[];
  /** Of each issue, the resource that refers, as `Type/id`. */
  readonly sources: readonly string[];

  /** @param referring by `Type/id` of the target, a resource that refers to it. */
  constructor(targets: readonly string[], referring: ReadonlyMap<string, Resource> = new Map()) {
    super(422, 'not-found', `Reference to what does not exist: ${targets.slice(0, issueLimit).join(', ')}`);
    this.targets = targets;
    const named = targets.slice(0, issueLimit);
    this.sources = named.map((target) => {
      const resource = referring.get(target);
      return resource ? `${resource.resourceType}/${resource.id}` : '';
    });
    this.outcome.issue = named.map((target) => {
      const resource = referring.get(target);
      const expression = resource && pathOf(resource, (text) => targetOf(text) === target);
      return {
        severity: 'error',
        code: 'not-found',
        diagnostics: `Reference to what does not exist: ${target}`,
        ...(expression ? { expression: [expression] } : {}),
      };
    });
  }
}

const issueLimit = 20;

/** Literal references of a resource to this server, as `Type/id`: whatever searches take for one, relative or by our own address. */
export function literalReferences(resource: object, types: ReadonlySet<string>, base: Base): string[] {
  const found = new Set<string>();
  eachReference(resource, (text) => {
    const target = targetOf(text, base);
    if (target !== undefined && types.has(target.slice(0, target.indexOf('/')))) found.add(target);
  });
  return [...found];
}

/** Tells the text of every Reference; asked of each resource that is written, so nothing is made on the way. */
function eachReference(node: object, tell: (reference: string) => void): void {
  for (const name in node) {
    const value = (node as Record<string, unknown>)[name];
    if (typeof value === 'object' && value !== null) eachReference(value, tell);
    else if (name === 'reference' && typeof value === 'string') tell(value);
  }
}

/** FHIRPath of the first Reference of a resource with this text. */
export function pathOfReference(resource: unknown, reference: string): string | undefined {
  // The operations of a JSON Patch have no path.
  if (Array.isArray(resource)) return undefined;
  return pathOf(resource, (text) => text === reference);
}

function targetOf(reference: string, base = noBase): string | undefined {
  const target = localReference(reference, base);
  return literalPattern.test(target) ? target : undefined;
}

/** FHIRPath of the first `reference` that is wanted. */
function pathOf(resource: unknown, isWanted: (reference: string) => boolean): string | undefined {
  const visit = (node: unknown, steps: string): string | undefined => {
    if (Array.isArray(node)) {
      for (const [index, item] of node.entries()) {
        const found = visit(item, `${steps}[${index}]`);
        if (found !== undefined) return found;
      }
    } else if (typeof node === 'object' && node !== null) {
      for (const [name, value] of Object.entries(node)) {
        const isFound = name === 'reference' && typeof value === 'string' && isWanted(value);
        const found = isFound ? `${steps}.reference` : visit(value, `${steps}.${name}`);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
  return visit(resource, String((resource as { resourceType?: unknown } | null)?.resourceType ?? 'Resource'));
}

/**
 * Targets may live in the tenant or in the platform's (directories, terminologies: design §5 rule 8).
 * @throws UnresolvedReferences naming the missing ones.
 */
export async function checkReferences(sql: Sql, tenant: string, references: readonly string[]): Promise<void> {
  let missing = await absent(sql, tenant, references);
  if (missing.length > 0 && tenant !== platformTenant) {
    // Row-level security shows one tenant at a time: look into the platform's, then come back.
    await sql.query(`SELECT set_config('passerelle.tenant', $1, true)`, [platformTenant]);
    const shared = missing.filter((target) => isSharedType(target.slice(0, target.indexOf('/'))));
    const others = missing.filter((target) => !shared.includes(target));
    missing = [...others, ...(await absent(sql, platformTenant, shared))];
    await sql.query(`SELECT set_config('passerelle.tenant', $1, true)`, [tenant]);
  }
  if (missing.length > 0) throw new UnresolvedReferences(missing);
}

async function absent(sql: Sql, tenant: string, references: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  const byType = Map.groupBy(references, (reference) => reference.slice(0, reference.indexOf('/')));
  for (const [type, list] of byType) {
    const ids = list.map((reference) => reference.slice(type.length + 1));
    const { rows } = await sql.query<{ id: string }>({
      name: `fhir_exists_${type}`,
      text: `SELECT id FROM ${tableOf(type)} WHERE tenant = $1 AND id = ANY($2::text[]) AND NOT deleted`,
      values: [tenant, ids],
    });
    const present = new Set(rows.map((row) => row.id));
    missing.push(...ids.filter((id) => !present.has(id)).map((id) => `${type}/${id}`));
  }
  return missing;
}
