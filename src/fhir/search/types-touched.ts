/**
 * Types a search looks into: whoever searches must be allowed to search each of them, else a search of a directory would tell
 * about patients.
 */

import type { TypesTouched } from '../store/contract.ts';
import type { Parameter, ParameterRegistry } from './parameters.ts';
import { readQuery } from './query.ts';
import type { Criterion, Include } from './request.ts';

/** @throws FhirError 400 for a query that cannot be understood; unknown parameters touch nothing. */
export function typesTouched(registry: ParameterRegistry, types: readonly string[], query: string): TypesTouched {
  const { criteria, includes } = readQuery(registry, types, query, 'lenient');
  const tested = new Set<string>(types);
  for (const list of criteria.values()) for (const criterion of list) collect(criterion, tested);
  // Named in the question: whether one comes along must not decide between an answer and a refusal.
  for (const { reverse, sourceType, targetType } of includes) {
    const named = reverse ? sourceType : targetType;
    if (named !== undefined) tested.add(named);
  }
  return { tested, included: new Set(includes.flatMap((include) => includedTypes(registry, include))) };
}

function collect(criterion: Criterion, into: Set<string>): void {
  switch (criterion.kind) {
    case 'chain':
      for (const { type, criterion: inner } of criterion.targets) {
        into.add(type);
        collect(inner, into);
      }
      return;
    case 'has':
      into.add(criterion.type);
      collect(criterion.criterion, into);
      return;
    case 'list':
      into.add('List');
      return;
    case 'not':
      collect(criterion.of, into);
      return;
    case 'all':
    case 'any':
      for (const part of criterion.of) collect(part, into);
  }
}

function includedTypes(registry: ParameterRegistry, include: Include): string[] {
  const { sourceType, parameter, targetType, reverse } = include;
  if (reverse) return sourceType === undefined ? [...registry.types] : [sourceType];
  if (targetType !== undefined) return [targetType];
  if (parameter) return targetsOf(registry, parameter);
  if (sourceType === undefined) return [...registry.types];
  const references = [...registry.of(sourceType).values()].filter(({ type }) => type === 'reference');
  return references.flatMap((reference) => targetsOf(registry, reference));
}

function targetsOf(registry: ParameterRegistry, { target }: Parameter): string[] {
  return target.filter((type) => registry.types.has(type));
}
