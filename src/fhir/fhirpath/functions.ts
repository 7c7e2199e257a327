/** Functions (http://hl7.org/fhirpath/N1/#functions, https://hl7.org/fhir/R4/fhirpath.html#functions). */

import { clockFunctions } from './clock.ts';
import { collectionFunctions } from './collections.ts';
import type { CompileContext, Compiled, FunctionCompiler } from './compiled.ts';
import { conversionFunctions } from './conversions.ts';
import { criteriaFunctions } from './criteria.ts';
import { fhirFunctions } from './fhir-functions.ts';
import { singleFunctions } from './singles.ts';
import type { Expression } from './syntax.ts';
import { FhirPathError } from './tokens.ts';

const functions: Readonly<Record<string, FunctionCompiler>> = {
  ...collectionFunctions,
  ...criteriaFunctions,
  ...singleFunctions,
  ...conversionFunctions,
  ...clockFunctions,
  ...fhirFunctions,
};

export function compileCall(
  node: Extract<Expression, { kind: 'call' }>,
  context: CompileContext,
  compile: (node: Expression, context: CompileContext) => Compiled,
): Compiled {
  const make = Object.hasOwn(functions, node.name) ? functions[node.name] : undefined;
  if (!make) throw new FhirPathError(`${node.name}() is not compiled`);
  const input = compile(node.input, context);
  const at = (index: number): Expression => {
    const argument = node.args[index];
    if (!argument) throw new FhirPathError(`${node.name}() needs more arguments`);
    return argument;
  };
  return make({
    name: node.name,
    input,
    args: node.args,
    context,
    argument: (index) => compile(at(index), context),
    criteria: (index) => compile(at(index), { ...context, focus: input.types }),
    on: (index, types) => compile(at(index), { ...context, focus: types }),
  });
}
