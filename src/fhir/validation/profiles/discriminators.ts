/** Which slice an occurrence belongs to (https://hl7.org/fhir/R4/profiling.html#discriminator). */
import { isObject, type Run } from '../run.ts';
import { held, type Occurrence } from './occurrences.ts';
import { fitsPattern, isFixed } from './patterns.ts';
import type { ElementTools } from './tools.ts';
import { type ElementNode, emptyNode, type Slicing } from './tree.ts';

export type SliceTest = (occurrence: Occurrence, run: Run) => boolean;

/** @returns undefined when the slice cannot be told from the others: then nothing is asked of it. */
export function sliceTest(
  name: string,
  slice: ElementNode,
  slicing: Slicing | undefined,
  type: string,
  isChoice: boolean,
  tools: ElementTools,
): SliceTest | undefined {
  const discriminators = slicing?.discriminators.length ? slicing.discriminators : implied(type, isChoice);
  if (discriminators.length === 0) return undefined;
  const tests = discriminators.map(({ type: kind, path }) =>
    path === '$this' && kind === 'type' && isChoice
      ? byOwnType(name, slice)
      : discriminatorTest(kind, path, slice, tools),
  );
  const known = tests.filter((test) => test !== undefined);
  if (known.length === 0) return undefined;
  return (occurrence, run) => known.every((test) => test(occurrence, run));
}

/** Extensions are told apart by their URL and choices by their type, also where a profile does not say so. */
function implied(type: string, isChoice: boolean): Slicing['discriminators'] {
  if (type === 'Extension') return [{ type: 'value', path: 'url' }];
  return isChoice ? [{ type: 'type', path: '$this' }] : [];
}

function byOwnType(name: string, slice: ElementNode): SliceTest {
  const codes = slice.rules.types?.map(({ code }) => code);
  if (codes) return ({ type }) => codes.includes(plainType(type));
  return ({ type }) => name.toLowerCase().endsWith(plainType(type).toLowerCase());
}

/** Profiled quantities are written as Quantity. */
export function plainType(type: string): string {
  return type === 'SimpleQuantity' || type === 'MoneyQuantity' ? 'Quantity' : type;
}

function discriminatorTest(kind: string, path: string, slice: ElementNode, tools: ElementTools): SliceTest | undefined {
  const nodes = nodesAt([slice], stepsOf(path), tools);
  const select = (occurrence: Occurrence, run: Run, more = ''): unknown[] => {
    if (path === '$this' && more === '') return [held(occurrence)];
    return tools.path(path + more, occurrence.type).select(held(occurrence), run);
  };
  if (kind === 'value' || kind === 'pattern') {
    const tests = nodes.flatMap((node) => valueTest(node, tools) ?? []);
    if (tests.length === 0) return undefined;
    return (occurrence, run) => {
      const values = select(occurrence, run);
      return values.some((value) => tests.every((test) => test(value)));
    };
  }
  if (kind === 'exists') {
    const max = nodes.find(({ rules }) => rules.max !== undefined)?.rules.max;
    const min = nodes.find(({ rules }) => rules.min !== undefined)?.rules.min ?? 0;
    if (max !== 0 && min === 0) return undefined;
    return (occurrence, run) => select(occurrence, run).length > 0 === (max !== 0);
  }
  const types = nodes.flatMap(({ rules }) => rules.types ?? []);
  if (types.length === 0) return undefined;
  if (kind === 'type') {
    const codes = path.endsWith('resolve()') ? targetTypes(types, tools) : types.map(({ code }) => code);
    return (occurrence, run) => {
      if (path === '$this' && !isObject(occurrence.value)) return codes.includes(plainType(occurrence.type));
      return select(occurrence, run).some((value) =>
        isObject(value) && typeof value.resourceType === 'string'
          ? codes.includes(value.resourceType)
          : codes.some((code) =>
              path === '$this'
                ? code === plainType(occurrence.type)
                : select(occurrence, run, `.ofType(${code})`).length > 0,
            ),
      );
    };
  }
  const profiles = types.flatMap((type) => (path.endsWith('resolve()') ? type.targets : type.profiles));
  if (kind !== 'profile' || profiles.length === 0) return undefined;
  return (occurrence, run) =>
    select(occurrence, run).some((value) => profiles.some((profile) => tools.conforms(value, profile, run) !== false));
}

function targetTypes(types: readonly { targets: readonly string[] }[], tools: ElementTools): string[] {
  return types.flatMap(({ targets }) => targets.flatMap((target) => tools.typeOf(target) ?? []));
}

/** Steps of a discriminator's path: `a`, `extension('url')`, `resolve()`, `ofType(X)`; `$this` is none. */
function stepsOf(path: string): string[] {
  return path.match(/[A-Za-z$]\w*(?:\([^)]*\))?/g)?.filter((step) => step !== '$this') ?? [];
}

/** What the slice says of the element a path leads to, in its own tree or in the profiles of its types. */
function nodesAt(nodes: readonly ElementNode[], steps: readonly string[], tools: ElementTools): ElementNode[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [...nodes];
  const next = nodes.flatMap((node): ElementNode[] => {
    const types = node.rules.types ?? [];
    if (step === 'resolve()') {
      // Nothing follows: the types of the targets are asked for, which the reference itself has.
      if (rest.length === 0) return [node];
      return types.flatMap(({ targets }) => targets.flatMap((target) => tools.tree(target) ?? []));
    }
    const own = [node, ...types.flatMap(({ profiles }) => profiles.flatMap((profile) => tools.tree(profile) ?? []))];
    const extension = /^extension\('([^']*)'\)$/.exec(step);
    if (extension) return own.flatMap((each) => extensionNodes(each, extension[1]!, tools));
    if (/^(?:ofType|as)\(/.test(step)) return own;
    return own.flatMap((each) => {
      const child = each.children.get(step);
      const named = child ? [child, ...(child.slices.size === 1 ? child.slices.values() : [])] : typedChild(each, step);
      return [...named, ...partOfValue(each, step), ...addressOf(each, step, tools)];
    });
  });
  return nodesAt(next, rest, tools);
}

/** `contentString` tells the type of `content`. */
function typedChild(node: ElementNode, name: string): ElementNode[] {
  return [...node.children].flatMap(([property, child]): ElementNode[] => {
    const suffix = property.startsWith(name) ? property.slice(name.length) : '';
    if (!/^[A-Z]/.test(suffix)) return [];
    const types = [suffix, suffix[0]!.toLowerCase() + suffix.slice(1)];
    const rules = types.map((code) => ({ code, profiles: [], targets: [], aggregation: [] }));
    return [{ ...child, rules: { types: rules, ...child.rules } }];
  });
}

/** What a fixed value or a pattern of the whole says of a part of it. */
function partOfValue({ rules }: ElementNode, name: string): ElementNode[] {
  return (['fixed', 'pattern'] as const).flatMap((kind) => {
    const whole = rules[kind];
    if (!isObject(whole) || whole[name] === undefined) return [];
    return [whole[name]].flat().map((value) => ({ ...emptyNode(), rules: { constraints: [], [kind]: value } }));
  });
}

/** The address of an extension is that of its definition; one that is at hand says so itself. */
function addressOf({ rules }: ElementNode, name: string, tools: ElementTools): ElementNode[] {
  const profiles = (rules.types ?? []).flatMap((type) => (type.code === 'Extension' ? type.profiles : []));
  const [profile, ...others] = profiles;
  if (name !== 'url' || profile === undefined || others.length > 0 || tools.tree(profile)) return [];
  return [{ ...emptyNode(), rules: { constraints: [], fixed: profile.split('|')[0]! } }];
}

function extensionNodes(node: ElementNode, url: string, tools: ElementTools): ElementNode[] {
  const slices = [...(node.children.get('extension')?.slices.values() ?? [])];
  return slices
    .filter(
      (slice) =>
        slice.children.get('url')?.rules.fixed === url ||
        (slice.rules.types ?? []).some(({ profiles }) => profiles.some((profile) => profile.split('|')[0] === url)),
    )
    .flatMap((slice) => [
      slice,
      ...(slice.rules.types ?? []).flatMap(({ profiles }) => profiles.flatMap((profile) => tools.tree(profile) ?? [])),
    ]);
}

/** A test of the values a node fixes, below it too; undefined when it fixes none. */
function valueTest(node: ElementNode, tools: ElementTools): ((value: unknown) => boolean) | undefined {
  const { fixed, pattern, valueSet } = node.rules;
  const tests: ((value: unknown) => boolean)[] = [];
  if (fixed !== undefined) tests.push((value) => isFixed(value, fixed));
  if (pattern !== undefined) tests.push((value) => fitsPattern(value, pattern));
  if (valueSet !== undefined) tests.push((value) => tools.inValueSet(value, valueSet) !== false);
  for (const [name, child] of node.children) {
    const test = valueTest(child, tools);
    const slices = [...child.slices.values()]
      .filter(({ rules }) => (rules.min ?? 0) > 0)
      .flatMap((slice) => valueTest(slice, tools) ?? []);
    for (const each of test ? [test, ...slices] : slices) {
      tests.push((value) => {
        const values = isObject(value) ? [value[name]].flat().filter((item) => item !== undefined) : [];
        return values.length === 0 ? (child.rules.min ?? 0) === 0 : values.some(each);
      });
    }
  }
  return tests.length === 0 ? undefined : (value) => tests.every((test) => test(value));
}
