/** What a resource points to on this server: references, and files by the url of an attachment. */

import type { ResourceType } from '@medplum/fhirtypes';
import { isId, isResourceType } from '../validation/index.ts';

/** Target of a literal reference, `Patient/1` or the same below the service base, a version left aside. */
export function targetOf(reference: string, base: string): { type: ResourceType; id: string } | undefined {
  const relative = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  const [type, id, history, ...rest] = relative.split('/');
  if (!type || !id || !isResourceType(type) || !isId(id)) return undefined;
  if (history !== undefined && (history !== '_history' || rest.length !== 1)) return undefined;
  return { type: type as ResourceType, id };
}

/** Targets of everything in a resource, each once, in order of appearance; contained resources point out of it too. */
export function targetsIn(resource: object, base: string): { type: ResourceType; id: string }[] {
  const found = new Map<string, { type: ResourceType; id: string }>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    // Of a list the names are its indexes.
    for (const [name, value] of Object.entries(node)) {
      if (typeof value !== 'string') {
        visit(value);
        continue;
      }
      if (name !== 'reference' && name !== 'url') continue;
      const target = targetOf(value, base);
      // An address in `url` is ours only when it is a file: elsewhere `url` names definitions.
      if (target && (name === 'reference' || target.type === 'Binary'))
        found.set(`${target.type}/${target.id}`, target);
    }
  };
  visit(resource);
  return [...found.values()];
}
