import type { Interpreter } from '../search/parameters.ts';

/** The slow road for expressions outside the compiled subset: FHIRPath interpreted by `@medplum/core`, parsed once. */
export async function loadInterpreter(): Promise<Interpreter> {
  const { evalFhirPathTyped, parseFhirPath, toTypedValue } = await import('@medplum/core');
  return (expression) => {
    const ast = parseFhirPath(expression);
    return (resource) => evalFhirPathTyped(ast, [toTypedValue(resource)]).map(({ value }) => value);
  };
}
