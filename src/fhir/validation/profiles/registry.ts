/** Profiles by URL, compiled when first met. */
import type { StructureDefinition } from '@medplum/fhirtypes';
import type { Shapes } from '../../definitions/shapes.ts';
import type { ValueSetTest } from '../bindings.ts';
import { type Check, formatPath, insideResource, isObject, type Profiles, type Run, report } from '../run.ts';
import { codingsOf } from './coded.ts';
import { compileOrInterpret, constraintCheck } from './constraints.ts';
import { compileNode } from './element-check.ts';
import { extensionCheck } from './extensions.ts';
import type { ElementTools } from './tools.ts';
import { buildTree, type ElementNode, elementsOf, emptyNode } from './tree.ts';

/** Where definitions come from. URLs without `|version`. */
export interface DefinitionSource {
  profile(url: string): StructureDefinition | undefined;
  valueSet(url: string): ValueSetTest | undefined;
}

const baseUrl = 'http://hl7.org/fhir/StructureDefinition/';
const maxDerivation = 20;

interface Loaded {
  definition: StructureDefinition;
  tree: ElementNode;
}

/** @param baseKeys invariants that every resource is checked for anyway. */
export function createProfiles(source: DefinitionSource, shapes: Shapes, baseKeys: ReadonlySet<string>): Profiles {
  const loaded = new Map<string, Loaded | undefined>();
  const checks = new Map<string, Check | undefined>();
  const extensions = new Map<string, Check | undefined>();

  function load(canonical: string, depth = 0): Loaded | undefined {
    const [url, version] = canonical.split('|');
    if (!loaded.has(url!)) loaded.set(url!, make(url!, depth));
    const found = loaded.get(url!);
    const isOther =
      version !== undefined && found?.definition.version !== undefined && found.definition.version !== version;
    return isOther ? undefined : found;
  }

  function make(url: string, depth: number): Loaded | undefined {
    const definition = source.profile(url);
    if (!definition || definition.kind === 'logical' || !shapes.of(definition.type)) return undefined;
    const base = definition.baseDefinition;
    const isType =
      base === undefined || (base.startsWith(baseUrl) && shapes.of(base.slice(baseUrl.length)) !== undefined);
    const parent = isType || depth > maxDerivation ? undefined : load(base, depth + 1);
    const elements = elementsOf(definition, isType || parent !== undefined);
    return elements && { definition, tree: buildTree(elements, parent?.tree ?? emptyNode()) };
  }

  function typeOf(url: string): string | undefined {
    const name = url.startsWith(baseUrl) ? url.slice(baseUrl.length).split('|')[0]! : undefined;
    return name !== undefined && shapes.of(name) ? name : load(url)?.definition.type;
  }

  function toolsFor(definition: StructureDefinition): ElementTools {
    const resourceType = shapes.isResource(definition.type) ? definition.type : undefined;
    return {
      shapes,
      path: (expression, type) => compileOrInterpret(expression, type, resourceType, shapes),
      tree: (url) => load(url)?.tree,
      typeOf,
      conforms,
      inValueSet,
      profile,
      constraint(constraint, type) {
        const from = constraint.source?.split('/').at(-1);
        if (baseKeys.has(constraint.key) && (from === undefined || shapes.of(from.split('.')[0]!))) return undefined;
        return constraintCheck(constraint, type, resourceType, shapes);
      },
    };
  }

  function profile(url: string): Check | undefined {
    if (checks.has(url)) return checks.get(url);
    const name = url.startsWith(baseUrl) ? url.slice(baseUrl.length).split('|')[0]! : '';
    const known = load(url);
    const check = known
      ? guarded(
          url,
          lazily(() => compileProfile(known)),
        )
      : shapes.of(name)
        ? ofType(name)
        : undefined;
    checks.set(url, check);
    return check;
  }

  function compileProfile({ definition, tree }: Loaded): Check {
    const byType = new Map<string, Check>();
    const tools = toolsFor(definition);
    return (value, run) => {
      const type = isObject(value) && typeof value.resourceType === 'string' ? value.resourceType : definition.type;
      if (!shapes.lineage(type).includes(definition.type))
        return report(run, 'structure', `must be a ${definition.type}, as its profile ${definition.url} says`);
      let check = byType.get(type);
      if (!check) {
        const node = compileNode(tree, type, tools);
        check = (item, at) => node({ value: item, type }, at);
        byType.set(type, check);
      }
      check(value, run);
    };
  }

  /** A type of R4 is a profile that everything of the type conforms to: it was checked as what it is. */
  function ofType(name: string): Check {
    return (value, run) => {
      const type = isObject(value) ? value.resourceType : undefined;
      if (typeof type === 'string' && !shapes.lineage(type).includes(name))
        report(run, 'structure', `must be a ${name}`);
    };
  }

  function conforms(value: unknown, url: string, run: Run): boolean | undefined {
    const check = profile(url);
    if (!check) return undefined;
    const apart: Run = { ...run, issues: [], path: [...run.path], openCodes: undefined };
    const isOther = isObject(value) && typeof value.resourceType === 'string' && value !== run.resource;
    if (isOther) insideResource(apart, value, () => check(value, apart));
    else check(value, apart);
    return !apart.issues.some(({ severity }) => severity === 'error');
  }

  function inValueSet(value: unknown, url: string): boolean | undefined {
    const test = source.valueSet(url.split('|')[0]!);
    if (!test) return undefined;
    if (typeof value === 'string') return test.hasCode(value);
    return codingsOf(value).some(({ system, code }) => test.hasCoding(system, code));
  }

  return {
    profile,
    conforms,
    inValueSet,
    extension(url) {
      if (extensions.has(url)) return extensions.get(url);
      const known = load(url);
      const check =
        known?.definition.type === 'Extension'
          ? lazily(() => extensionCheck(known.definition, known.tree, compileProfile(known), shapes))
          : undefined;
      // Senders make up URLs: what is not known is not remembered without end.
      if (check || extensions.size < 10_000) extensions.set(url, check);
      else loaded.delete(url);
      return check;
    },
  };
}

function lazily(make: () => Check): Check {
  let check: Check | undefined;
  return (value, run) => {
    check ??= make();
    check(value, run);
  };
}

/** References lead back to where they came from: what is being checked against a profile is not checked against it again. */
function guarded(url: string, check: Check): Check {
  return (value, run) => {
    if (!isObject(value)) return check(value, run);
    const under = run.checking.get(value) ?? new Set();
    if (under.has(url)) return;
    run.checking.set(value, under.add(url));
    check(value, run);
    under.delete(url);
  };
}

/** Checks a resource against the profiles it declares and those asked for; the unknown ones are told as a warning. */
export function checkProfilesOf(value: Record<string, unknown>, profiles: Profiles, isRoot: boolean, run: Run): void {
  const asked = isRoot ? run.rootProfiles : [];
  for (const url of asked) {
    const check = profiles.profile(url);
    if (check) check(value, run);
    else report(run, 'not-found', `the profile ${url} is not known here`);
  }
  const declared = isObject(value.meta) ? value.meta.profile : undefined;
  if (!Array.isArray(declared)) return;
  declared.forEach((url: unknown, index) => {
    if (typeof url !== 'string' || asked.includes(url)) return;
    const check = profiles.profile(url);
    if (check) {
      check(value, run);
      return;
    }
    if (!run.withWarnings || run.issues.length >= 100) return;
    const expression = formatPath([...run.path, 'meta', 'profile', index]);
    run.issues.push({
      severity: 'warning',
      code: 'not-found',
      diagnostics: `${expression}: this profile is not known here, the resource was not checked against it`,
      expression: [expression],
    });
  });
}
