/** Extensions whose definition is known: their content, and where they may stand (https://hl7.org/fhir/R4/extensibility.html#context). */
import type { StructureDefinition } from '@medplum/fhirtypes';
import type { Shapes } from '../../definitions/shapes.ts';
import { type Check, isObject, type Run, report } from '../run.ts';
import { compileOrInterpret } from './constraints.ts';
import type { ElementNode } from './tree.ts';

/** @param content check of what is in the extension. */
export function extensionCheck(
  definition: StructureDefinition,
  tree: ElementNode,
  content: Check,
  shapes: Shapes,
): Check {
  const isAllowed = contextTest(definition, shapes);
  const isModifier = isModifierExtension(definition);
  const parts = namedParts(tree);
  const invariants = (definition.contextInvariant ?? []).map((expression) =>
    compileOrInterpret(expression, undefined, undefined, shapes),
  );
  return (value, run) => {
    const at = run.path.findLast((step) => typeof step === 'string');
    const used = at === 'modifierExtension';
    if (isModifier !== undefined && isModifier !== used) {
      report(run, 'structure', isModifier ? 'must be a modifierExtension' : 'must not be a modifierExtension');
    }
    if (!isAllowed(run)) report(run, 'structure', 'is an extension that may not stand here');
    if (!invariants.every((invariant) => invariant.isTrue(holderOf(run), run)))
      report(run, 'invariant', 'is an extension that may not stand here: its contextInvariant does not hold');
    content(value, run);
    const nested = isObject(value) && Array.isArray(value.extension) ? value.extension : [];
    nested.forEach((part: unknown, index) => {
      const url = isObject(part) ? part.url : undefined;
      if (typeof url !== 'string' || url.includes(':') || parts.size === 0 || parts.has(url)) return;
      run.path.push('extension', index);
      report(run, 'structure', 'is no part of this extension', 'url');
      run.path.length -= 2;
    });
  };
}

function isModifierExtension({ snapshot, differential }: StructureDefinition): boolean | undefined {
  const root = snapshot?.element[0] ?? differential?.element.find(({ path }) => path === 'Extension');
  return root?.isModifier;
}

/** URLs of the extensions inside a complex extension. */
function namedParts(tree: ElementNode): ReadonlySet<unknown> {
  const slices = [...(tree.children.get('extension')?.slices ?? [])];
  return new Set(slices.map(([name, slice]) => slice.children.get('url')?.rules.fixed ?? name));
}

function contextTest(definition: StructureDefinition, shapes: Shapes): (run: Run) => boolean {
  const contexts = definition.context ?? [];
  // Without a context it may stand anywhere; R4 asks for one, older definitions have none.
  if (contexts.length === 0) return () => true;
  const elements = new Set(
    contexts.filter(({ type }) => type === 'element').map(({ expression }) => plainPath(expression)),
  );
  const others = contexts.filter(({ type }) => type !== 'element');
  const tests = others.map(({ type, expression }) =>
    type === 'extension' ? insideExtension(expression) : atFhirPath(expression, shapes),
  );
  if (elements.has('Element') || elements.has('Any') || elements.has('*')) return () => true;
  const known = new Map<string, boolean>();
  return (run) => {
    const resourceType = String((run.resource as { resourceType?: unknown } | undefined)?.resourceType);
    const names = holderSteps(run).filter((step) => typeof step === 'string');
    const key = [resourceType, ...names].join('.');
    let answer = known.get(key);
    if (answer === undefined) {
      answer = pathsOf(resourceType, names, shapes).some((path) => elements.has(path));
      // As many as there are places an extension was met at, but no more than somebody could make up.
      if (known.size < 1000) known.set(key, answer);
    }
    return answer || tests.some((test) => test(run));
  };
}

/** `Observation.value[x]` and `Observation.value.ofType(Quantity)` are one element; slices are not told apart. */
function plainPath(expression: string): string {
  return expression
    .replaceAll('[x]', '')
    .replace(/\.ofType\([^)]*\)/g, '')
    .replace(/:[^.]*/g, '');
}

/** From the resource to the element that has the extension. */
function holderSteps(run: Run): (string | number)[] {
  const steps = run.path.slice(run.resourceDepth);
  const last = steps.findLastIndex((step) => typeof step === 'string');
  return steps.slice(0, last);
}

/** Every name an element goes by: from its resource, from each type on the way, and its own types. */
function pathsOf(resourceType: string, names: readonly string[], shapes: Shapes): string[] {
  let types = [resourceType];
  let paths: string[] = shapes.lineage(resourceType).slice();
  for (const name of names) {
    const elements = types.flatMap((type) => shapes.of(type)?.elements.get(name) ?? []);
    types = [...new Set(elements.flatMap((element) => element.properties.map(({ type }) => type)))];
    const lineages = types.flatMap((type) => shapes.lineage(type));
    paths = [...new Set([...paths.map((path) => `${path}.${name}`), ...lineages])];
  }
  return paths;
}

/** In an extension of that address, or in its value. */
function insideExtension(url: string): (run: Run) => boolean {
  const [parent, part] = url.split('#');
  return (run) => {
    let value: unknown = run.resource;
    let isInside = false;
    for (const step of holderSteps(run)) {
      value = (value as Record<string | number, unknown> | undefined)?.[step];
      isInside ||= isObject(value) && value.url === (part ?? parent);
    }
    return isInside;
  };
}

function holderOf(run: Run): unknown {
  let value: unknown = run.resource;
  for (const step of holderSteps(run)) value = (value as Record<string | number, unknown> | undefined)?.[step];
  return value;
}

function atFhirPath(expression: string, shapes: Shapes): (run: Run) => boolean {
  const path = compileOrInterpret(expression, undefined, undefined, shapes);
  return (run) => {
    const holder = holderOf(run);
    return path.select(run.resource, run).includes(holder) || path.isTrue(holder, run);
  };
}
