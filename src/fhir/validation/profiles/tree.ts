/**
 * A profile as a tree of what it adds to its base (https://hl7.org/fhir/R4/profiling.html): made from the differential on the tree of
 * the base profile, or from the snapshot when that base is not at hand. The base definitions of R4 are checked by themselves.
 */
import type { ElementDefinition, ElementDefinitionConstraint, StructureDefinition } from '@medplum/fhirtypes';

export interface TypeRule {
  code: string;
  profiles: readonly string[];
  targets: readonly string[];
  aggregation: readonly string[];
}

/** What an element must be, as far as the profile says something of it. */
export interface ElementRules {
  min?: number;
  /** Infinity for `*`. */
  max?: number;
  types?: readonly TypeRule[];
  fixed?: unknown;
  pattern?: unknown;
  /** Canonical URL of a required binding's value set. */
  valueSet?: string;
  maxLength?: number;
  minValue?: number | string;
  maxValue?: number | string;
  constraints: readonly ElementDefinitionConstraint[];
}

export interface Slicing {
  discriminators: readonly { type: string; path: string }[];
  ordered: boolean;
  rules: string;
}

export interface ElementNode {
  rules: ElementRules;
  /** By element name, without `[x]`. */
  children: Map<string, ElementNode>;
  slicing?: Slicing;
  /** In the order of the profile. */
  slices: Map<string, ElementNode>;
}

export function emptyNode(): ElementNode {
  return { rules: { constraints: [] }, children: new Map(), slices: new Map() };
}

function copyNode(node: ElementNode): ElementNode {
  const copies = (nodes: Map<string, ElementNode>) =>
    new Map([...nodes].map(([name, child]) => [name, copyNode(child)]));
  return {
    rules: node.rules,
    children: copies(node.children),
    slices: copies(node.slices),
    ...(node.slicing ? { slicing: node.slicing } : {}),
  };
}

/** @param base tree of the base profile; an empty one when the base is a type of R4. */
export function buildTree(elements: readonly ElementDefinition[], base: ElementNode): ElementNode {
  const root = copyNode(base);
  const locate = slicePaths();
  for (const element of elements) {
    const node = nodeAt(root, locate(element));
    node.rules = merge(node.rules, element);
    if (element.slicing) {
      node.slicing = {
        discriminators: (element.slicing.discriminator ?? []).map(({ type, path }) => ({
          type: type ?? 'value',
          path: path ?? '$this',
        })),
        ordered: element.slicing.ordered ?? false,
        rules: element.slicing.rules ?? 'open',
      };
    }
  }
  return root;
}

/** Elements of a profile that say something about instances. */
export function elementsOf(
  profile: StructureDefinition,
  isBaseKnown: boolean,
): readonly ElementDefinition[] | undefined {
  const { snapshot, differential } = profile;
  if (isBaseKnown && differential) return differential.element;
  return snapshot?.element;
}

interface Step {
  name: string;
  slices: readonly string[];
}

/**
 * Where an element is: names and the slices they are in. Ids say so; in differentials without ids the last slice told at a path
 * is meant.
 */
function slicePaths(): (element: ElementDefinition) => Step[] {
  const told = new Map<string, string>();
  return (element) => {
    const names = element.path.split('.');
    const ids = element.id?.split('.');
    const isUsable = ids?.length === names.length && (!element.sliceName || ids.at(-1)!.includes(':'));
    for (const path of told.keys()) if (path.startsWith(`${element.path}.`)) told.delete(path);
    if (element.sliceName) told.set(element.path, element.sliceName);
    else told.delete(element.path);
    return names.slice(1).map((name, index): Step => {
      const path = names.slice(0, index + 2).join('.');
      const isLast = index === names.length - 2;
      const fromId = isUsable ? ids[index + 1]!.split(':').slice(1).join(':') : undefined;
      const slice = (isLast ? element.sliceName : undefined) ?? (isUsable ? fromId : told.get(path));
      return { name: name.replace('[x]', ''), slices: slice ? slice.split('/') : [] };
    });
  };
}

function nodeAt(root: ElementNode, steps: readonly Step[]): ElementNode {
  let node = root;
  for (const { name, slices } of steps) {
    node = childOf(node.children, name);
    for (const slice of slices) node = childOf(node.slices, slice);
  }
  return node;
}

function childOf(nodes: Map<string, ElementNode>, name: string): ElementNode {
  const known = nodes.get(name);
  if (known) return known;
  const made = emptyNode();
  nodes.set(name, made);
  return made;
}

function merge(rules: ElementRules, element: ElementDefinition): ElementRules {
  const held = element as unknown as Record<string, unknown>;
  const choice = (prefix: string) => {
    const property = Object.keys(held).find((name) => new RegExp(`^${prefix}[A-Z]`).test(name));
    return property === undefined ? undefined : held[property];
  };
  const set = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value });
  const known = new Set(rules.constraints.map(({ key }) => key));
  return {
    ...rules,
    ...set('min', element.min),
    ...set(
      'max',
      element.max === undefined ? undefined : element.max === '*' ? Number.POSITIVE_INFINITY : Number(element.max),
    ),
    ...set('types', typeRules(element)),
    ...set('fixed', choice('fixed')),
    ...set('pattern', choice('pattern')),
    ...set('valueSet', element.binding?.strength === 'required' ? element.binding.valueSet : undefined),
    ...set('maxLength', element.maxLength),
    ...set('minValue', choice('minValue')),
    ...set('maxValue', choice('maxValue')),
    constraints: [...rules.constraints, ...(element.constraint ?? []).filter(({ key }) => !known.has(key))],
  };
}

/** Ids and addresses of extensions have types of FHIRPath in snapshots, not their own: nothing is left to say of those. */
function typeRules({ type }: ElementDefinition): TypeRule[] | undefined {
  return type?.some(({ code }) => code.startsWith('http://hl7.org/fhirpath/')) ? undefined : type?.map(typeRule);
}

function typeRule(type: NonNullable<ElementDefinition['type']>[number]): TypeRule {
  return {
    code: type.code,
    profiles: type.profile ?? [],
    targets: type.targetProfile ?? [],
    aggregation: type.aggregation ?? [],
  };
}
