/** Constraints of profiles: compiled, or interpreted where they use more of FHIRPath than is compiled. */
import { createRequire } from 'node:module';
import type { ElementDefinitionConstraint } from '@medplum/fhirtypes';
import type { Shapes } from '../../definitions/shapes.ts';
import { compileFhirPath, type FhirPath, FhirPathError, patternFault } from '../../fhirpath/index.ts';
import { type Check, reportAs } from '../run.ts';

/** @returns undefined when there is nothing to evaluate. */
export function constraintCheck(
  constraint: ElementDefinitionConstraint,
  type: string,
  resourceType: string | undefined,
  shapes: Shapes,
): Check | undefined {
  const { key, severity, expression, human } = constraint;
  if (!expression) return undefined;
  const fault = patternFault(expression);
  if (fault !== undefined) return notChecked(key, fault);
  const path = compileOrInterpret(expression, type, resourceType, shapes);
  const isWarning = severity === 'warning';
  const diagnostics = `must fulfil ${key}: ${human ?? expression}`;
  return (value, run) => {
    if (isWarning && !run.withWarnings) return;
    if (!path.isTrue(value, run)) reportAs(run, isWarning ? 'warning' : 'error', 'invariant', diagnostics);
  };
}

/** Told once for a resource: as many warnings as it has elements would leave no room for errors. */
function notChecked(key: string, fault: string): Check {
  const diagnostics = `the constraint ${key} of the profile is not checked here: ${fault}`;
  return (_, run) => {
    const isTold = run.issues.some((issue) => issue.diagnostics?.endsWith(diagnostics));
    if (run.withWarnings && !isTold) reportAs(run, 'warning', 'not-supported', diagnostics);
  };
}

export function compileOrInterpret(
  expression: string,
  type: string | undefined,
  resourceType: string | undefined,
  shapes: Shapes,
): FhirPath {
  try {
    return compileFhirPath(expression, type, shapes, resourceType);
  } catch (error) {
    if (!(error instanceof FhirPathError)) throw error;
    return interpret(expression, type);
  }
}

/** The slow road, by `@medplum/core`, loaded when first needed (70 ms, 18 MB). What it cannot evaluate does not hold. */
function interpret(expression: string, type: string | undefined): FhirPath {
  const require = createRequire(import.meta.url);
  const { evalFhirPathTyped, parseFhirPath, toTypedValue }: typeof import('@medplum/core') = require('@medplum/core');
  let ast: ReturnType<typeof parseFhirPath>;
  try {
    ast = parseFhirPath(expression);
  } catch {
    return { isTrue: () => false, select: () => [] };
  }
  const evaluate = (focus: unknown, surroundings: { resource: unknown; rootResource: unknown }): unknown[] => {
    const item = type === undefined ? toTypedValue(focus) : { type, value: focus };
    const variables = {
      '%context': item,
      '%resource': toTypedValue(surroundings.resource),
      '%rootResource': toTypedValue(surroundings.rootResource),
      '%ucum': toTypedValue('http://unitsofmeasure.org'),
    };
    try {
      return evalFhirPathTyped(ast, [item], variables).map(({ value }) => value as unknown);
    } catch {
      return [];
    }
  };
  return {
    isTrue(focus, surroundings) {
      const values = evaluate(focus, surroundings);
      return values.length === 1 && values[0] === true;
    },
    select: evaluate,
  };
}
