/**
 * Who sees a part only refers to what they see. It is looked at before any rule is asked: rules follow references with the whole in sight, and
 * would act on what is somebody else's, or tell by their refusal that it is there. What the transaction has yet to make is looked at when it ends.
 */
import type { Resource } from '@medplum/fhirtypes';
import { literalReferences, UnresolvedReferences } from './references.ts';
import type { StoreSight } from './sight.ts';

export interface Claims {
  /** @param before what the resource referred to already may stay. @throws UnresolvedReferences. */
  check(resource: Resource, before: Resource | undefined, by: StoreSight): Promise<void>;
  /** What was yet to be made. @throws UnresolvedReferences. */
  confirm(): Promise<void>;
}

interface ClaimsParts {
  types: ReadonlySet<string>;
  base: () => string | undefined;
  /** Whether whoever asked for the transaction sees `Type/id`, or wrote it in it. */
  sees(target: string): Promise<boolean>;
  /** Whether the id was given out for a resource that is yet to be written. */
  isPromised(id: string): boolean;
}

export function createClaims({ types, base, sees, isPromised }: ClaimsParts): Claims {
  const promised = new Map<string, Resource>();
  const seen = new Set<string>();

  async function missingAmong(claims: ReadonlyMap<string, Resource>): Promise<void> {
    const missing: string[] = [];
    for (const target of claims.keys()) {
      if (seen.has(target)) continue;
      if (await sees(target)) seen.add(target);
      else missing.push(target);
    }
    if (missing.length > 0) throw new UnresolvedReferences(missing, claims);
  }

  return {
    async check(resource, before, { rows }) {
      if (!rows) return;
      const known = new Set(before ? literalReferences(before, types, base) : []);
      const claims = new Map<string, Resource>();
      for (const target of literalReferences(resource, types, base)) {
        const [type, id] = target.split('/') as [string, string];
        if (known.has(target) || rows.isWhole(type)) continue;
        (isPromised(id) ? promised : claims).set(target, resource);
      }
      await missingAmong(claims);
    },
    confirm: () => missingAmong(promised),
  };
}
