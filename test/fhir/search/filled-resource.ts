import type { ElementDefinition, Resource, StructureDefinition } from '@medplum/fhirtypes';

const primitives: Readonly<Record<string, unknown>> = {
  boolean: true,
  integer: 7,
  positiveInt: 3,
  unsignedInt: 4,
  decimal: 1.5,
  date: '2026-03-04',
  dateTime: '2026-03-04T10:00:00+01:00',
  instant: '2026-03-04T10:00:00.123Z',
  time: '10:00:00',
};

const deepest = 5;

/**
 * Makes resources with every element of their definition, two of each list. References point to a Patient and to an
 * Organization, codes that search expressions filter by take one of the values they ask for.
 */
export function filledResource(
  structures: readonly StructureDefinition[],
): (type: string, variant: number) => Resource {
  const byType = new Map(structures.map((structure) => [structure.type!, structure]));

  function fill(path: string, elements: readonly ElementDefinition[], variant: number, depth: number): unknown {
    const result: Record<string, unknown> = {};
    for (const element of elements) {
      const name = element.path!.slice(path.length + 1);
      if (!element.path!.startsWith(`${path}.`) || name.includes('.') || name === 'contained' || name === 'extension')
        continue;
      if (name === 'modifierExtension' || element.max === '0') continue;
      const types = element.type ?? [];
      const chosen = types[variant % Math.max(types.length, 1)];
      if (!chosen) continue;
      const property = name.endsWith('[x]')
        ? name.slice(0, -3) + chosen.code!.charAt(0).toUpperCase() + chosen.code!.slice(1)
        : name;
      const one = (n: number) => value(element.path!, chosen.code!, elements, variant + n, depth + 1, name);
      const made = element.max === '1' ? [one(0)] : [one(0), one(1)];
      const kept = made.filter((item) => item !== undefined);
      if (kept.length > 0) result[property] = element.max === '1' ? kept[0] : kept;
    }
    return Object.keys(result).length > 0 ? result : undefined;
  }

  function value(
    path: string,
    type: string,
    elements: readonly ElementDefinition[],
    variant: number,
    depth: number,
    name: string,
  ): unknown {
    if (type in primitives) return primitives[type];
    if (type === 'Reference') return { reference: variant % 2 === 0 ? 'Patient/p1' : 'Organization/o1', display: 'x' };
    if (type === 'BackboneElement' || type === 'Element')
      return depth > deepest ? undefined : fill(path, elements, variant, depth);
    const structure = byType.get(type);
    if (structure?.kind === 'complex-type') {
      return depth > deepest ? undefined : fill(type, structure.snapshot!.element!, variant, depth);
    }
    if (structure?.kind === 'resource') return undefined;
    if (name === 'system' && path.startsWith('ContactPoint')) return variant % 2 === 0 ? 'phone' : 'email';
    if (path.endsWith('relatedArtifact.type') || path === 'RelatedArtifact.type') {
      return ['depends-on', 'composed-of', 'derived-from', 'predecessor', 'successor'][variant % 5];
    }
    return `${name}-${variant}`;
  }

  return (type, variant) => {
    const elements = byType.get(type)!.snapshot!.element!;
    return { ...(fill(type, elements, variant, 0) as object), resourceType: type, id: 'x' } as Resource;
  };
}
