import { createRequire } from 'node:module';
import type { Interpreter } from '../search/parameters.ts';

/**
 * The slow road for expressions outside the compiled subset: FHIRPath interpreted by `@medplum/core`, parsed once. The library
 * is loaded when the first such expression is met: every R4 expression is compiled, so normally never (70 ms, 18 MB).
 */
export const interpretPath: Interpreter = (expression) => {
  const require = createRequire(import.meta.url);
  const { evalFhirPathTyped, parseFhirPath, toTypedValue }: typeof import('@medplum/core') = require('@medplum/core');
  const ast = parseFhirPath(expression);
  return (resource) => evalFhirPathTyped(ast, [toTypedValue(resource)]).map(({ value }) => value);
};
