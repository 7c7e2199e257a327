/** Values of arguments and variables, and selections as they stand for one object. */
import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
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
      return value === undefined ? [] : [[name, value]];
    }),
  );
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
