/**
 * Types a search looks into: whoever searches must be allowed to search each of them, else a search of a directory would tell
 * about patients.
 */

import type { TypesTouched } from '../store/contract.ts';
import type { ParameterRegistry } from './parameters.ts';
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
  return { tested, pointing: new Set(includes.flatMap((include) => pointingTypes(registry, include))) };
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

function pointingTypes(registry: ParameterRegistry, { sourceType, reverse }: Include): string[] {
  if (!reverse) return [];
  return sourceType === undefined ? [...registry.types] : [sourceType];
}
