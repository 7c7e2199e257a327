/**
 * Turns the R4 definitions into closures: one check per type, made the first time an instance of it is seen
 * (https://hl7.org/fhir/R4/validation.html: structure, cardinality, values, bindings; https://hl7.org/fhir/R4/json.html).
 */
import { choiceProperty, type ElementRule, parseElement, type StructureFile } from '../definitions/structure-file.ts';
import { bindingCheck } from './bindings.ts';
import { narrativeProblem } from './narrative.ts';
import { type Elements, objectCheck, type Slot } from './object.ts';
import { type PrimitiveRule, primitiveRules } from './primitives.ts';
import { checkReference } from './references.ts';
import { resourceCheck } from './resource.ts';
import { type Check, isObject, report } from './run.ts';
import { typeInvariants } from './type-invariants.ts';

export interface Compiler {
  /** Check of a type by name. */
  typeCheck(name: string): Check;
  /** Check of a resource of any type. */
  readonly resource: Check;
  isResourceType(name: string): boolean;
}

export function compiler(structure: StructureFile): Compiler {
  const compiled = new Map<string, Check>();
  const isResourceType = (name: string): boolean => {
    const type = Object.hasOwn(structure.types, name) ? structure.types[name] : undefined;
    return type?.kind === 'resource' && !type.abstract;
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
    const invariant = typeInvariants[name];
    const check = objectCheck(slotsOf(name), structure.types[name]!.kind === 'resource');
    if (!invariant) return check;
    return (value, run) => {
      check(value, run);
      if (isObject(value)) invariant(value, run);
    };
  }

  function slotsOf(typeName: string): Elements {
    const slots = new Map<string, Slot>();
    const required: Elements['required'][number][] = [];
    let marks = 0;
    for (const [declared, rule] of elementsOf(typeName)) {
      const isChoice = declared.endsWith('[x]');
      const name = isChoice ? declared.slice(0, -3) : declared;
      const bit = isChoice || rule.min > 0 ? 1 << marks++ : 0;
      if (rule.min > 0) required.push({ name, mask: bit });
      const properties = isChoice ? rule.types.map((type) => choiceProperty(name, type.code)) : [name];
      rule.types.forEach((type, index) => {
        const property = properties[index]!;
        const primitive = structure.types[type.code]?.kind === 'primitive';
        const slot = { name, bit, repeats: rule.repeats, primitive, ...(isChoice ? { choice: properties } : {}) };
        slots.set(property, { ...slot, isShadow: false, check: elementCheck(rule, type) });
        if (primitive) slots.set(`_${property}`, { ...slot, isShadow: true, check: typeCheck('Element') });
      });
    }
    if (marks > 31) throw new Error(`${typeName} has more required elements than bits`);
    return { slots, required };
  }

  function elementsOf(typeName: string): [string, ElementRule][] {
    const type = structure.types[typeName];
    if (!type) throw new Error(`no definition of ${typeName}`);
    const own = Object.entries(type.elements).map(([name, notation]): [string, ElementRule] => [
      name,
      parseElement(notation),
    ]);
    return type.base ? [...elementsOf(type.base), ...own] : own;
  }

  function elementCheck(rule: ElementRule, type: ElementRule['types'][number]): Check {
    const checks = [typeCheck(type.code)];
    if (type.code === 'Reference') {
      const targets = type.targets && new Set(type.targets);
      checks.push((value, run) => checkReference(value, run, targets, isResourceType));
    }
    const codes = rule.valueSet ? structure.valueSets[rule.valueSet] : undefined;
    const binding = codes && bindingCheck(type.code, rule.valueSet!, codes);
    if (binding) checks.push(binding);
    const [first, second] = checks;
    if (!second) return first!;
    return (value, run) => {
      first!(value, run);
      second(value, run);
    };
  }

  const resource = resourceCheck(typeCheck, isResourceType);
  return { typeCheck, resource, isResourceType };
}

function primitiveCheck(rule: PrimitiveRule): Check {
  return (value, run) => {
    const problem = rule(value);
    if (problem) report(run, 'value', problem);
  };
}
