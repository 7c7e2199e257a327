/** The search parameters of each type, compiled when the type is first used. */
import type { SearchDefinitions, SearchParameterDefinition } from '../definitions/search-parameters.ts';
import { createShapes } from '../definitions/shapes.ts';
import { r4Structure } from '../definitions/structure-r4.ts';
import { type ReferenceForm, referenceForm } from './canonical-elements.ts';
import { compileFacets, type Facet } from './composites.ts';
import { dateColumns } from './date-columns.ts';
import { createImpliedCodes, type ImpliedCodes } from './implied-codes.ts';
import { parameterKey } from './keys.ts';
import { type Choices, type Compile, compilePath, createChoices, type Selector } from './path-compiler.ts';
import { PathSyntaxError, splitUnion } from './path-syntax.ts';
import { createUnits, type Units } from './units.ts';
import { createWordPatterns, type WordPatterns } from './words.ts';

/** One parameter of one type, ready to select its values. */
export interface Parameter extends SearchParameterDefinition {
  /** Type it belongs to. */
  resourceType: string;
  select: Selector;
  /** Its number in the tables of ordered values. */
  key: number;
  /** 1 for `d1_lo`/`d1_hi`, and so on; undefined when it lives in `fhir.date_key`. */
  dateColumn?: number;
  /** Of a reference parameter: whether its values are References or canonicals. */
  form?: ReferenceForm;
  /** Where the parts of a composite are paired. */
  facets?: readonly Facet[];
  shared: SharedParts;
}

/** What all parameters of a registry share. */
export interface SharedParts {
  units: Units;
  words: WordPatterns;
  impliedCodes: ImpliedCodes;
  /** What the values of a reference parameter are, by its expression. */
  formOf(resourceType: string, expression: string): ReferenceForm;
  /** Our own address, without a slash at the end: references that begin with it are local. */
  base(): string | undefined;
}

export interface ParameterRegistry {
  types: ReadonlySet<string>;
  /** Parameters of a type by name. */
  of(type: string): ReadonlyMap<string, Parameter>;
}

/** Evaluates an expression the compiler does not cover; slower. */
export type Interpreter = (expression: string) => Selector;

/** Compiled lazily: 146 types have 2,000 parameters, a hospital uses a few dozen types. */
export function createParameterRegistry(
  definitions: SearchDefinitions,
  interpret: Interpreter,
  base: () => string | undefined = () => undefined,
): ParameterRegistry {
  const byType = new Map<string, ReadonlyMap<string, Parameter>>();
  const shapes = createShapes(r4Structure);
  const shared: SharedParts = {
    units: createUnits(),
    words: createWordPatterns(),
    impliedCodes: createImpliedCodes(),
    formOf: (resourceType, expression) => referenceForm(shapes, resourceType, expression),
    base,
  };
  const choices = createChoices(definitions.choices);
  return {
    types: new Set(definitions.types),
    of(type) {
      let parameters = byType.get(type);
      if (!parameters) {
        parameters = compileAll(
          definitions,
          type,
          (expression, at) => compileOrInterpret(expression, at, choices, interpret),
          shared,
        );
        byType.set(type, parameters);
      }
      return parameters;
    },
  };
}

function compileAll(
  definitions: SearchDefinitions,
  type: string,
  compile: Compile,
  shared: SharedParts,
): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  const keys = new Map<number, string>();
  // 32 bits are plenty for one type's parameters; were two ever to meet, their values would mix silently.
  const keyOf = (name: string) => {
    const key = parameterKey(type, name);
    const twin = keys.get(key);
    if (twin !== undefined && twin !== name)
      throw new Error(`Search parameters ${type}.${twin} and ${type}.${name} share a key`);
    keys.set(key, name);
    return key;
  };
  for (const definition of definitions.parameters(type)) {
    const { code, components } = definition;
    const expression = ownOperands(definition.expression, type);
    const column = (dateColumns[type] ?? []).indexOf(code) + 1;
    parameters.set(code, {
      ...definition,
      expression,
      resourceType: type,
      key: keyOf(code),
      select: expression === '' ? () => [] : compile(expression, type),
      shared,
      ...(column > 0 ? { dateColumn: column } : {}),
      ...(definition.type === 'reference' ? { form: shared.formOf(type, expression) } : {}),
      ...(components ? { facets: compileFacets({ ...definition, expression, components }, type, compile, keyOf) } : {}),
    });
  }
  return parameters;
}

/** Our own parameters may have several bases: only the operands about this type count. */
function ownOperands(expression: string, type: string): string {
  const own = splitUnion(expression).filter((part) =>
    new RegExp(`^\\(*(${type}|Resource|DomainResource)\\b`).test(part),
  );
  return own.length > 0 ? own.join(' | ') : expression;
}

function compileOrInterpret(expression: string, at: string, choices: Choices, interpret: Interpreter): Selector {
  try {
    return compilePath(expression, at, choices);
  } catch (error) {
    if (error instanceof PathSyntaxError) return interpret(expression);
    throw error;
  }
}
