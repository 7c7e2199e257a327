/** The search parameters of each type, compiled when the type is first used. */
import type { SearchDefinitions, SearchParameterDefinition } from '../definitions/search-parameters.ts';
import { dateColumns } from './date-columns.ts';
import { parameterKey } from './keys.ts';
import { type Choices, compilePath, createChoices, type Selector } from './path-compiler.ts';
import { PathSyntaxError, splitUnion } from './path-syntax.ts';

/** One parameter of one type, ready to select its values. */
export interface Parameter extends SearchParameterDefinition {
  /** Type it belongs to. */
  resourceType: string;
  select: Selector;
  /** Its number in the tables of ordered values. */
  key: number;
  /** 1 for `d1_lo`/`d1_hi`, and so on; undefined when it lives in `fhir.date_key`. */
  dateColumn?: number;
}

export interface ParameterRegistry {
  types: ReadonlySet<string>;
  /** Parameters of a type by name. */
  of(type: string): ReadonlyMap<string, Parameter>;
}

/** Evaluates an expression the compiler does not cover; slower. */
export type Interpreter = (expression: string) => Selector;

/** Compiled lazily: 146 types have 2,000 parameters, a hospital uses a few dozen types. */
export function createParameterRegistry(definitions: SearchDefinitions, interpret: Interpreter): ParameterRegistry {
  const byType = new Map<string, ReadonlyMap<string, Parameter>>();
  const choices = createChoices(definitions.choices);
  return {
    types: new Set(definitions.types),
    of(type) {
      let parameters = byType.get(type);
      if (!parameters) {
        parameters = compileAll(definitions, type, choices, interpret);
        byType.set(type, parameters);
      }
      return parameters;
    },
  };
}

function compileAll(
  definitions: SearchDefinitions,
  type: string,
  choices: Choices,
  interpret: Interpreter,
): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  const keys = new Map<number, string>();
  for (const definition of definitions.parameters(type)) {
    const key = parameterKey(type, definition.code);
    // 32 bits are plenty for one type's parameters; were two ever to meet, their values would mix silently.
    const twin = keys.get(key);
    if (twin !== undefined)
      throw new Error(`Search parameters ${type}.${twin} and ${type}.${definition.code} share a key`);
    keys.set(key, definition.code);
    const column = (dateColumns[type] ?? []).indexOf(definition.code) + 1;
    parameters.set(definition.code, {
      ...definition,
      resourceType: type,
      key,
      select: compileOrInterpret(definition.expression, type, choices, interpret),
      ...(column > 0 ? { dateColumn: column } : {}),
    });
  }
  return parameters;
}

function compileOrInterpret(expression: string, type: string, choices: Choices, interpret: Interpreter): Selector {
  // Our own parameters may have several bases: only the operands about this type count.
  const own = splitUnion(expression).filter((part) =>
    new RegExp(`^\\(*(${type}|Resource|DomainResource)\\b`).test(part),
  );
  const text = own.length > 0 ? own.join(' | ') : expression;
  try {
    return compilePath(text, type, choices);
  } catch (error) {
    if (error instanceof PathSyntaxError) return interpret(text);
    throw error;
  }
}
