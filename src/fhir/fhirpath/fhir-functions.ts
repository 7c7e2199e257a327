/** What FHIR adds to FHIRPath (https://hl7.org/fhir/R4/fhirpath.html#functions). */

import { narrativeProblem } from '../validation/narrative.ts';
import { type FunctionCompiler, fromItems, fromTruth } from './compiled.ts';
import { FhirPathError } from './tokens.ts';
import { isObject, isPair, plain, readProperty } from './values.ts';

export const fhirFunctions: Readonly<Record<string, FunctionCompiler>> = {
  hasValue: ({ input }) =>
    fromTruth((focus, scope) => {
      const items = input.items(focus, scope);
      const value = items.length === 1 ? plain(items[0]) : undefined;
      return value !== undefined && typeof value !== 'object';
    }),
  getValue: ({ input }) =>
    fromItems((focus, scope) => {
      const items = input.items(focus, scope);
      const value = items.length === 1 ? plain(items[0]) : undefined;
      return value === undefined || typeof value === 'object' ? [] : [value];
    }, input.types),
  extension(call) {
    const url = call.argument(0);
    return fromItems(
      (focus, scope) => {
        const found: unknown[] = [];
        for (const item of call.input.items(focus, scope)) readProperty(item, 'extension', '_', found);
        const wanted = plain(url.items(focus, scope)[0]);
        return found.filter((extension) => isObject(extension) && extension.url === wanted);
      },
      ['Extension'],
    );
  },
  resolve: ({ input }) =>
    fromItems(
      (focus, scope) =>
        input.items(focus, scope).flatMap((item) => {
          const reference = isObject(item) && !isPair(item) ? item.reference : plain(item);
          const target = typeof reference === 'string' ? scope.resolve?.(reference) : undefined;
          return target === undefined ? [] : [target];
        }),
      ['Resource'],
    ),
  // Names only: what the definitions say of the element, or the resource of itself.
  type: ({ input }) =>
    fromItems(
      (focus, scope) =>
        input.items(focus, scope).flatMap((item) => {
          const own = isObject(item) ? item.resourceType : undefined;
          const name = own ?? (input.types?.length === 1 ? input.types[0] : undefined);
          return name === undefined ? [] : [{ namespace: 'FHIR', name }];
        }),
      undefined,
    ),
  htmlChecks: ({ input }) =>
    fromTruth((focus, scope) => input.items(focus, scope).every((item) => narrativeProblem(plain(item)) === undefined)),
  conformsTo(call) {
    const profile = call.argument(0);
    return fromTruth((focus, scope) => {
      const url = plain(profile.items(focus, scope)[0]);
      const items = call.input.items(focus, scope);
      if (items.length !== 1 || typeof url !== 'string') return undefined;
      return scope.conformsTo?.(items[0], url);
    });
  },
  memberOf(call) {
    const valueSet = call.argument(0);
    return fromTruth((focus, scope) => {
      const url = plain(valueSet.items(focus, scope)[0]);
      const items = call.input.items(focus, scope);
      if (items.length !== 1 || typeof url !== 'string') return undefined;
      return scope.memberOf?.(plain(items[0]), url);
    });
  },
  elementDefinition() {
    throw new FhirPathError('elementDefinition() is not compiled');
  },
};
