/** Bodies of the case's operations: Parameters out of plain values. */
import type { Coding, Parameters, ParametersParameter } from '@medplum/fhirtypes';

type Value = string | boolean | Coding | readonly string[] | undefined;

/** Strings become `valueString` (one parameter per element of a list), codings `valueCoding`, yes or no `valueBoolean`; undefined is left out. */
export function parametersOf(values: Readonly<Record<string, Value>>): Parameters {
  const parameter = Object.entries(values).flatMap(([name, value]): ParametersParameter[] => {
    if (value === undefined) return [];
    if (typeof value === 'boolean') return [{ name, valueBoolean: value }];
    if (typeof value === 'string') return [{ name, valueString: value }];
    if (isList(value)) return value.map((one) => ({ name, valueString: one }));
    return [{ name, valueCoding: value }];
  });
  return { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
}

function isList(value: Coding | readonly string[]): value is readonly string[] {
  return Array.isArray(value);
}
