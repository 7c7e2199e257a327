/**
 * References stay in their tenant, or lead to the platform's (design §5 rule 8). A relative one cannot leave; an absolute one by our
 * own address can: it is refused whether or not something is there.
 */
import type { Resource } from '@medplum/fhirtypes';
import { platformTenant } from '../../db/index.ts';
import { type ChangeHook, FhirError } from '../../fhir/index.ts';

const deepest = 64;

/** @param baseUrl public address, without a slash at the end. @returns a hook that throws FhirError 422. */
export function refuseForeignAddresses(baseUrl: () => string): ChangeHook {
  return ({ type, id, after }, { context, writtenText }) => {
    const base = baseUrl();
    // Nearly no resource says our address at all.
    if (!after || writtenText(type, id)?.includes(`${base}/`) === false) return;
    const { tenant, actor } = context;
    const isForeign = (text: string): boolean => {
      if (!text.startsWith(`${base}/`)) return false;
      const [first, named = '', service] = text.slice(base.length + 1).split('/', 3);
      if (first === 't') return !!service && named !== tenant && named !== platformTenant;
      // Without a name it is the caller's own tenant that is meant.
      return (first === 'fhir' || first === 'dicomweb') && actor.home !== undefined;
    };
    const place = placeOf(after, isForeign);
    if (place === undefined) return;
    throw new FhirError(
      422,
      'business-rule',
      'References lead to the same tenant or to that of the platform: this address is of another one',
      place,
    );
  };
}

/** FHIRPath of the first text that is such. */
function placeOf(resource: Resource, is: (text: string) => boolean): string | undefined {
  const visit = (node: unknown, path: string, depth: number): string | undefined => {
    if (typeof node === 'string') return is(node) ? path : undefined;
    if (typeof node !== 'object' || node === null || depth > deepest) return undefined;
    for (const [name, value] of Object.entries(node)) {
      const found = visit(value, Array.isArray(node) ? `${path}[${name}]` : `${path}.${name}`, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return visit(resource, resource.resourceType, 0);
}
