/** Values of arguments and variables, and selections as they stand for one object. */
import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import { applies } from './types.ts';

export type Variables = Readonly<Record<string, unknown>>;

/** @throws GraphQLError when a variable that must have a value has none. */
export function variablesOf({ variableDefinitions = [] }: OperationDefinitionNode, given: Variables): Variables {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, type, defaultValue }) => {
      const name = variable.name.value;
      const value = given[name] ?? (defaultValue ? valueFromASTUntyped(defaultValue) : undefined);
      if ((value === undefined || value === null) && type.kind === Kind.NON_NULL_TYPE) {
        throw new GraphQLError(`The variable $${name} needs a value`, { nodes: variable });
      }
      if (value === undefined) return [];
      const coerced = coercedTo(type, value);
      if (coerced === undefined) throw new GraphQLError(`The variable $${name} is ${print(type)}`, { nodes: variable });
      return [[name, coerced]];
    }),
  );
}

/** By its scalar type; others say nothing here. @returns undefined for a value of another type. */
function coercedTo(type: TypeNode, value: unknown): unknown {
  if (type.kind === Kind.NON_NULL_TYPE) return coercedTo(type.type, value);
  if (value === null || type.kind === Kind.LIST_TYPE) return value;
  switch (type.name.value) {
    case 'Boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'Int':
      return Number.isInteger(value) ? value : undefined;
    case 'ID':
      return typeof value === 'string' ? value : Number.isInteger(value) ? String(value) : undefined;
    default:
      return value;
  }
}

/** Arguments by name; those whose variable has no value are as good as not given. */
export function argumentsOf(node: FieldNode | DirectiveNode, variables: Variables): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { name, value } of node.arguments ?? []) {
    const given = givenValue(value, variables);
    if (given !== undefined && given !== null) found.set(name.value, given);
  }
  return found;
}

function givenValue(node: ValueNode, variables: Variables): unknown {
  return valueFromASTUntyped(node, variables as Record<string, unknown>);
}

export function responseName({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

/**
 * Fields of one name in the answer as the one they are (https://spec.graphql.org/October2021/#MergeSelectionSets()): several fragments
 * each ask for some of it. @returns undefined when they are not the same (https://spec.graphql.org/October2021/#FieldsInSetCanMerge()).
 */
export function mergedField(nodes: readonly FieldNode[]): FieldNode | undefined {
  const [first, ...others] = nodes as [FieldNode, ...FieldNode[]];
  if (others.length === 0) return first;
  const said = signature(first);
  if (others.some((node) => signature(node) !== said)) return undefined;
  if (!first.selectionSet) return first;
  const selections = nodes.flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
  return { ...first, selectionSet: { ...first.selectionSet, selections } };
}

/** What is asked, with what, and what becomes of its values. */
function signature({ name, arguments: given = [], directives = [] }: FieldNode): string {
  const shaping = directives.filter((node) => node.name.value !== 'skip' && node.name.value !== 'include');
  return [name.value, ...given.map(print).sort(), ...shaping.map(print)].join(' ');
}

export function directive(node: FieldNode, name: string): DirectiveNode | undefined {
  return node.directives?.find((each) => each.name.value === name);
}

/** The fields wanted of an object of this type, in order, fragments opened (https://spec.graphql.org/October2021/#CollectFields()). */
export function* fieldsOf(
  set: SelectionSetNode,
  type: string,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Variables,
): Generator<FieldNode> {
  for (const node of set.selections) {
    if (!isIncluded(node.directives ?? [], variables)) continue;
    if (node.kind === Kind.FIELD) {
      yield node;
      continue;
    }
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value)! : node;
    const condition = fragment.typeCondition?.name.value;
    if (condition === undefined || applies(condition, type))
      yield* fieldsOf(fragment.selectionSet, type, fragments, variables);
  }
}

function isIncluded(directives: readonly DirectiveNode[], variables: Variables): boolean {
  return directives.every((node) => {
    const condition = argumentsOf(node, variables).get('if');
    if (node.name.value === 'skip') return condition !== true;
    return node.name.value !== 'include' || condition === true;
  });
}
