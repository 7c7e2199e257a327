/** The FHIRPath constraints of the base definitions as checks (https://hl7.org/fhir/R4/conformance-rules.html#constraints). */
import type { Shapes } from '../definitions/shapes.ts';
import type { Invariant, StructureFile } from '../definitions/structure-file.ts';
import { compileFhirPath, FhirPathError } from '../fhirpath/index.ts';
import { type Check, reportAs } from './run.ts';

/**
 * @returns the checks of a type or element by its path (`Patient`, `Patient.contact`, `Organization.telecom`); `type` is the FHIR type
 * of its instances, when the path does not name one. Compiled when asked for.
 */
export function compileInvariants(
  structure: StructureFile,
  shapes: Shapes,
): (path: string, type?: string) => readonly Check[] {
  const byPath = new Map<string, Invariant[]>();
  for (const invariant of structure.invariants) {
    for (const path of invariant.at) byPath.set(path, [...(byPath.get(path) ?? []), invariant]);
  }
  return (path, type = path) =>
    (byPath.get(path) ?? []).flatMap((invariant) => {
      const check = compileInvariant(invariant, path, type, shapes);
      return check ? [check] : [];
    });
}

function compileInvariant(invariant: Invariant, path: string, type: string, shapes: Shapes): Check | undefined {
  const { key, severity, expression } = invariant;
  const root = path.split('.')[0]!;
  const compiled = compile(expression, type, shapes, shapes.isResource(root) ? root : undefined);
  if (!compiled) return undefined;
  const diagnostics = `must fulfil ${key}: ${expression}`;
  const isWarning = severity === 'warning';
  return (value, run) => {
    if (isWarning && !run.withWarnings) return;
    if (!compiled.isTrue(value, run)) reportAs(run, severity, 'invariant', diagnostics);
  };
}

/** An invariant of a choice is about the types that have what it names. */
function compile(expression: string, type: string, shapes: Shapes, resourceType: string | undefined) {
  try {
    return compileFhirPath(expression, type, shapes, resourceType);
  } catch (error) {
    if (error instanceof FhirPathError && shapes.isPrimitive(type)) return undefined;
    throw error;
  }
}
