/** The types of R4 as JSON Schemas (https://hl7.org/fhir/R4/json.html): names, types and repetition; the rest is the validator's. */
import { choiceProperty, parseElement, type StructureFile } from '../definitions/structure-file.ts';
import type { Item } from './description.ts';

/** Primitives that are no plain string. */
const primitives: Readonly<Record<string, Item>> = {
  base64Binary: { type: 'string', contentEncoding: 'base64' },
  boolean: { type: 'boolean' },
  decimal: { type: 'number' },
  instant: { type: 'string', format: 'date-time' },
  integer: { type: 'integer' },
  positiveInt: { type: 'integer', minimum: 1 },
  unsignedInt: { type: 'integer', minimum: 0 },
  id: { type: 'string', pattern: '^[A-Za-z0-9\\-.]{1,64}$' },
};

/** One schema per type, by its name; parts of types by their path (`Patient.contact`). */
export function schemasOf(structure: StructureFile): Record<string, Item> {
  const schemas: Record<string, Item> = {};
  for (const [name, { kind, abstract }] of Object.entries(structure.types)) {
    if (kind === 'primitive') schemas[name] = primitives[name] ?? { type: 'string' };
    else if (name === 'Resource') schemas[name] = anyResource;
    else schemas[name] = objectSchema(structure, name, kind === 'resource' && !abstract);
  }
  return schemas;
}

/** A resource in the two formats; XML is what the specification says it is, not what a JSON schema could. */
export function contentOf(type: string): Item {
  return {
    'application/fhir+json': { schema: { $ref: `#/components/schemas/${type}` } },
    'application/fhir+xml': {},
  };
}

const anyResource = {
  type: 'object',
  properties: { resourceType: { type: 'string' }, id: { $ref: '#/components/schemas/id' } },
  required: ['resourceType'],
};

function objectSchema(structure: StructureFile, name: string, isResource: boolean): Item {
  const properties: Record<string, Item> = {};
  const required: string[] = [];
  if (isResource) {
    properties.resourceType = { const: name };
    required.push('resourceType');
  }
  for (const [declared, notation] of elementsOf(structure, name)) {
    const { min, repeats, types } = parseElement(notation);
    const isChoice = declared.endsWith('[x]');
    for (const { code } of types) {
      const property = isChoice ? choiceProperty(declared.slice(0, -3), code) : declared;
      const schema = { $ref: `#/components/schemas/${code}` };
      properties[property] = repeats ? { type: 'array', items: schema } : schema;
    }
    // A primitive may have extensions in place of its value, under another name.
    const isPrimitive = structure.types[types[0]!.code]?.kind === 'primitive';
    if (min > 0 && !isChoice && !isPrimitive) required.push(declared);
  }
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
}

function elementsOf(structure: StructureFile, name: string): [string, string][] {
  const { base, elements } = structure.types[name]!;
  return [...(base ? elementsOf(structure, base) : []), ...Object.entries(elements)];
}
