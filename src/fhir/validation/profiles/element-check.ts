/** A node of a profile's tree as a check of one occurrence, and of all occurrences of an element. */
import type { ElementShape } from '../../definitions/shapes.ts';
import { insideResource, isObject, type Run, report } from '../run.ts';
import { bindingTest } from './coded.ts';
import { plainType, sliceTest } from './discriminators.ts';
import { limitTest } from './limits.ts';
import { elementNamed, held, type Occurrence, occurrencesOf } from './occurrences.ts';
import { fitsPattern, isFixed } from './patterns.ts';
import { checkTarget } from './targets.ts';
import type { ElementTools, OccurrenceCheck } from './tools.ts';
import type { ElementNode, TypeRule } from './tree.ts';

/** @param type FHIR type of the occurrence. */
export function compileNode(node: ElementNode, type: string, tools: ElementTools): OccurrenceCheck {
  const { rules } = node;
  const checks: OccurrenceCheck[] = [];
  const { fixed, pattern, valueSet } = rules;
  if (fixed !== undefined)
    checks.push(({ value }, run) => {
      if (!isFixed(value, fixed)) report(run, 'value', 'must be the value its profile fixes');
    });
  if (pattern !== undefined)
    checks.push(({ value }, run) => {
      if (!fitsPattern(value, pattern)) report(run, 'value', 'must have what the pattern of its profile has');
    });
  if (valueSet !== undefined) checks.push(bindingTest(valueSet, type, tools));
  if (rules.maxLength !== undefined || rules.minValue !== undefined || rules.maxValue !== undefined) {
    const limitProblem = limitTest(rules);
    checks.push(({ value }, run) => {
      const problem = limitProblem(value, run.now ?? new Date());
      if (problem) report(run, 'value', problem);
    });
  }
  for (const constraint of rules.constraints) {
    const check = tools.constraint(constraint, type);
    if (check) checks.push((occurrence, run) => check(held(occurrence), run));
  }
  if (rules.types) checks.push(...typeChecks(rules.types, tools));
  const shape = tools.shapes.of(type);
  const children = [...node.children].flatMap(([name, child]) => {
    const element = shape && elementNamed(shape, name);
    return element ? [compileElement(element, child, tools)] : [];
  });
  const isResource = shape?.kind === 'resource';
  return (occurrence, run) => {
    for (const check of checks) check(occurrence, run);
    const below = () => {
      for (const check of children) check(occurrence, run);
    };
    // A constraint on a resource in another one sees the outer as %resource, what is below it sees itself.
    if (isResource && occurrence.value !== run.resource) insideResource(run, occurrence.value, below);
    else below();
  };
}

/** The types a profile leaves, their profiles, and the targets of references. */
function typeChecks(types: readonly TypeRule[], tools: ElementTools): OccurrenceCheck[] {
  const allowed = (actual: string) =>
    types.filter(
      ({ code }) =>
        code === plainType(actual) ||
        code === actual ||
        (tools.shapes.isResource(actual) && tools.shapes.lineage(actual).includes(code)),
    );
  return [
    (occurrence, run) => {
      const { type, value } = occurrence;
      const rules = allowed(type);
      if (rules.length === 0) {
        if (tools.shapes.of(type)?.kind !== 'complex' || !type.includes('.'))
          report(run, 'structure', 'is of a type that its profile does not allow');
        return;
      }
      if (type === 'Reference') checkTarget(value, rules, run, tools);
      if (type === 'Extension') return;
      const profiles = rules.flatMap((rule) => rule.profiles);
      if (profiles.length > 0 && isObject(value)) checkProfiles(value, profiles, run, tools);
    },
  ];
}

/** One of the profiles must be met; with only one its own problems are told. */
function checkProfiles(value: unknown, profiles: readonly string[], run: Run, tools: ElementTools): void {
  const [only, ...others] = profiles;
  if (others.length === 0) tools.profile(only!)?.(value, run);
  else if (profiles.every((profile) => tools.conforms(value, profile, run) === false))
    report(run, 'structure', `must conform to one of ${profiles.join(', ')}`);
}

/** Every occurrence of an element in its holder. */
function compileElement(element: ElementShape, node: ElementNode, tools: ElementTools): OccurrenceCheck {
  const byType = new Map<string, OccurrenceCheck>();
  const own = (type: string): OccurrenceCheck => {
    let check = byType.get(type);
    if (!check) {
      check = compileNode(node, type, tools);
      byType.set(type, check);
    }
    return check;
  };
  const slices = compileSlices(element, node, tools);
  const { min = 0, max = Number.POSITIVE_INFINITY } = node.rules;
  return (holder, run) => {
    const occurrences = occurrencesOf(held(holder), element);
    checkCount(occurrences.length, min, max, element.name, run);
    for (const occurrence of occurrences) at(occurrence, element, run, () => own(occurrence.type)(occurrence, run));
    slices?.(occurrences, run);
  };
}

export function checkCount(count: number, min: number, max: number, name: string, run: Run, slice = ''): void {
  if (count < min) report(run, 'required', `must be present at least ${times(min)}${slice}`, name);
  if (count > max)
    report(
      run,
      'structure',
      max === 0 ? `must not be present${slice}` : `must be present at most ${times(max)}${slice}`,
      name,
    );
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function at(occurrence: Occurrence, element: ElementShape, run: Run, work: () => void): void {
  run.path.push(element.name);
  if (occurrence.index !== undefined) run.path.push(occurrence.index);
  work();
  run.path.length -= occurrence.index === undefined ? 1 : 2;
}

interface CompiledSlice {
  name: string;
  test(type: string): ReturnType<typeof sliceTest>;
  check: OccurrenceCheck;
  nested: ReturnType<typeof compileSlices>;
  min: number;
  max: number;
}

/** Sorts occurrences into slices: their number, their order, and what is left over. */
function compileSlices(
  element: ElementShape,
  node: ElementNode,
  tools: ElementTools,
): ((occurrences: readonly Occurrence[], run: Run) => void) | undefined {
  if (node.slices.size === 0) return undefined;
  const slices = [...node.slices].map(([name, slice]): CompiledSlice => {
    const tests = new Map<string, ReturnType<typeof sliceTest>>();
    const checks = new Map<string, OccurrenceCheck>();
    return {
      name,
      test(type) {
        if (!tests.has(type)) tests.set(type, sliceTest(name, slice, node.slicing, type, element.isChoice, tools));
        return tests.get(type);
      },
      check(occurrence, run) {
        let check = checks.get(occurrence.type);
        if (!check) {
          check = compileNode(slice, occurrence.type, tools);
          checks.set(occurrence.type, check);
        }
        check(occurrence, run);
      },
      nested: compileSlices(
        element,
        { ...slice, ...((slice.slicing ?? node.slicing) ? { slicing: slice.slicing ?? node.slicing! } : {}) },
        tools,
      ),
      min: slice.rules.min ?? 0,
      max: slice.rules.max ?? Number.POSITIVE_INFINITY,
    };
  });
  const { ordered = false, rules = 'open' } = node.slicing ?? {};
  const types = [...new Set(element.properties.map(({ type }) => type))];
  return (occurrences, run) => {
    const members = slices.map((): Occurrence[] => []);
    let last = 0;
    let isAtEnd = false;
    for (const occurrence of occurrences) {
      const found = slices.findIndex((slice) => slice.test(occurrence.type)?.(occurrence, run));
      if (found === -1) {
        isAtEnd = true;
        if (rules === 'closed' && slices.every((slice) => slice.test(occurrence.type)))
          at(occurrence, element, run, () => report(run, 'structure', 'is in none of the slices its profile allows'));
        continue;
      }
      const slice = slices[found]!;
      members[found]!.push(occurrence);
      at(occurrence, element, run, () => {
        if (ordered && found < last) report(run, 'structure', `must stand before, with slice ${slice.name}`);
        if (isAtEnd && rules === 'openAtEnd') report(run, 'structure', 'must stand before what is in no slice');
        slice.check(occurrence, run);
      });
      last = Math.max(last, found);
    }
    slices.forEach((slice, index) => {
      // A slice that cannot be told apart is not counted either.
      if (types.every((type) => slice.test(type) === undefined)) return;
      checkCount(members[index]!.length, slice.min, slice.max, element.name, run, ` in slice ${slice.name}`);
      slice.nested?.(members[index]!, run);
    });
  };
}
