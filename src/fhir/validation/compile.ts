/**
 * Turns the R4 definitions into closures: one check per type, made the first time an instance of it is seen
 * (https://hl7.org/fhir/R4/validation.html: structure, cardinality, values, bindings; https://hl7.org/fhir/R4/json.html).
 */

import { createShapes, type Shapes } from '../definitions/shapes.ts';
import type { ElementRule, StructureFile } from '../definitions/structure-file.ts';
import { bindingCheck } from './bindings.ts';
import { compileInvariants } from './invariants.ts';
import { narrativeProblem } from './narrative.ts';
import { type Elements, objectCheck, type Slot } from './object.ts';
import { type PrimitiveRule, primitiveRules } from './primitives.ts';
import { checkReference } from './references.ts';
import { resourceCheck } from './resource.ts';
import { allOf, type Check, report } from './run.ts';
import { typeRules } from './type-rules.ts';

export interface Compiler {
  /** Check of a type by name. */
  typeCheck(name: string): Check;
  /** Check of a resource of any type. */
  readonly resource: Check;
  isResourceType(name: string): boolean;
  readonly shapes: Shapes;
}

export function compiler(structure: StructureFile): Compiler {
  const compiled = new Map<string, Check>();
  const shapes = createShapes(structure);
  const invariantsOf = compileInvariants(structure, shapes);
  const isResourceType = (name: string): boolean => {
    const type = Object.hasOwn(structure.types, name) ? structure.types[name] : undefined;
    return type?.kind === 'resource' && !type.abstract;
  };

  const rules = typeRules(isResourceType);

  let namedValue: Check | undefined;
  const besideValue: Check = (value, run) => {
    namedValue ??= objectCheck(slotsOf('Element'), { isIdEnough: true });
    namedValue(value, run);
  };

  function typeCheck(name: string): Check {
    const known = compiled.get(name);
    if (known) return known;
    // Types refer to themselves (Extension): the name is taken before its content is compiled, at first use.
    let check: Check | undefined;
    const lazy: Check = (value, run) => {
      check ??= compileType(name);
      check(value, run);
    };
    compiled.set(name, lazy);
    return lazy;
  }

  function compileType(name: string): Check {
    if (name === 'xhtml') return primitiveCheck(narrativeProblem);
    const primitive = primitiveRules[name];
    if (primitive) return primitiveCheck(primitive);
    if (name === 'Resource') return resource;
    const check = objectCheck(slotsOf(name), { isResource: structure.types[name]!.kind === 'resource' });
    const rule = rules[name];
    const invariants = [...(rule ? [rule] : []), ...invariantsOf(name)];
    return allOf([check, ...invariants]);
  }

  function slotsOf(typeName: string): Elements {
    const slots = new Map<string, Slot>();
    const required: Elements['required'][number][] = [];
    let marks = 0;
    for (const { name, isChoice, rule, properties } of shapes.of(typeName)!.elements.values()) {
      const bit = isChoice || rule.min > 0 ? 1 << marks++ : 0;
      if (rule.min > 0) required.push({ name, mask: bit });
      const choice = isChoice ? { choice: properties.map(({ property }) => property) } : {};
      properties.forEach(({ property, primitive }, index) => {
        const slot = { name, bit, repeats: rule.repeats, primitive, ...choice };
        const type = rule.types[index]!;
        const path = `${typeName}.${name}`;
        // A part with a type of its own has its invariants there, and is not to be told of them twice.
        const invariants = shapes.of(path) ? [] : invariantsOf(path, type.code);
        const check = allOf([...elementChecks(rule, type), ...invariants]);
        slots.set(property, { ...slot, isShadow: false, check });
        if (primitive && !isAttribute(typeName, name, type.code))
          slots.set(`_${property}`, { ...slot, isShadow: true, check: typeCheck('Element'), besideValue });
      });
    }
    if (marks > 31) throw new Error(`${typeName} has more required elements than bits`);
    return { slots, required };
  }

  function elementChecks(rule: ElementRule, type: ElementRule['types'][number]): Check[] {
    const checks = [typeCheck(type.code)];
    if (type.code === 'Reference') {
      const targets = type.targets && new Set(type.targets);
      checks.push((value, run) => checkReference(value, run, targets, isResourceType));
    }
    const codes = rule.valueSet ? structure.valueSets[rule.valueSet] : undefined;
    const binding = codes && bindingCheck(type.code, rule.valueSet!, codes);
    if (binding) checks.push(binding);
    return checks;
  }

  const resource = resourceCheck(typeCheck, isResourceType);
  return { typeCheck, resource, isResourceType, shapes };
}

/**
 * What XML writes as an attribute, or as XHTML, has no place for extensions (https://hl7.org/fhir/R4/xml.html): ids of elements, addresses
 * of extensions, narrative.
 */
function isAttribute(typeName: string, name: string, type: string): boolean {
  return type === 'xhtml' || (name === 'id' && type !== 'id') || (typeName === 'Extension' && name === 'url');
}

function primitiveCheck(rule: PrimitiveRule): Check {
  return (value, run) => {
    const problem = rule(value);
    if (problem) report(run, 'value', problem);
  };
}
