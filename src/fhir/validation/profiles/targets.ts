/** References in profiles: types and profiles of their targets, and where those must be (https://hl7.org/fhir/R4/references.html). */
import { parseReference } from '../references.ts';
import { isObject, type Run, report } from '../run.ts';
import type { ElementTools } from './tools.ts';
import type { TypeRule } from './tree.ts';

export function checkTarget(value: unknown, rules: readonly TypeRule[], run: Run, tools: ElementTools): void {
  if (!isObject(value)) return;
  const targets = rules.flatMap((rule) => rule.targets);
  const text = typeof value.reference === 'string' ? value.reference : undefined;
  const resolved = text === undefined ? undefined : run.resolve?.(text);
  checkPlace(text, resolved, rules, run);
  if (targets.length === 0) return;
  const type = targetType(value, text, resolved, tools);
  if (type === undefined) return;
  const candidates = targets.filter((target) => {
    const wanted = tools.typeOf(target);
    return wanted === undefined || tools.shapes.lineage(type).includes(wanted);
  });
  if (candidates.length === 0) {
    report(
      run,
      'value',
      `must refer to ${targets.map((target) => tools.typeOf(target) ?? target).join(' or ')}`,
      'reference',
    );
    return;
  }
  if (resolved === undefined) return;
  if (candidates.every((target) => tools.conforms(resolved, target, run) === false))
    report(run, 'structure', `must refer to a resource that conforms to ${candidates.join(' or ')}`, 'reference');
}

function targetType(
  value: Record<string, unknown>,
  text: string | undefined,
  resolved: unknown,
  tools: ElementTools,
): string | undefined {
  if (isObject(resolved) && typeof resolved.resourceType === 'string') return resolved.resourceType;
  const literal = text === undefined ? undefined : parseReference(text, (name) => tools.shapes.isResource(name));
  if (literal && 'type' in literal) return literal.type;
  return typeof value.type === 'string' && tools.shapes.isResource(value.type) ? value.type : undefined;
}

/** `aggregation`: contained, in the same Bundle, or elsewhere. */
function checkPlace(text: string | undefined, resolved: unknown, rules: readonly TypeRule[], run: Run): void {
  const places = rules.flatMap(({ aggregation }) => aggregation);
  if (text === undefined || places.length === 0) return;
  const place = text.startsWith('#') ? 'contained' : resolved !== undefined ? 'bundled' : 'referenced';
  // What is in the Bundle is also a reference to somewhere.
  if (places.includes(place) || (place === 'bundled' && places.includes('referenced'))) return;
  report(run, 'value', `must refer to what is ${places.join(' or ')}`, 'reference');
}
