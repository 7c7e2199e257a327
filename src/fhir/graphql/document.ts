/** A query read and checked before anything is done (https://spec.graphql.org/October2021/#sec-Validation). */
import {
  type ArgumentNode,
  type ASTNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  type ValueNode,
  type VariableDefinitionNode,
  visit,
} from 'graphql';
import { r4Elements } from '../operations/elements.ts';
import { limits } from './limits.ts';
import { anyResource, applies, fieldOf, isResource, queryType } from './types.ts';

export interface Query {
  operation: OperationDefinitionNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** Directives of the FHIR page beside those of GraphQL, with what they may be given. */
const directives: Readonly<Record<string, readonly string[]>> = {
  skip: ['if'],
  include: ['if'],
  flatten: [],
  first: [],
  singleton: [],
  slice: ['path', 'fhirpath'],
};

/** @param rootType `Query`, or the type of the instance. @throws GraphQLError[] every fault found. */
export function readQuery(text: string, operationName: string | undefined, rootType: string): Query {
  if (text.length > limits.characters) throw [new GraphQLError(`A query has at most ${limits.characters} characters`)];
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.tokens });
  } catch (error) {
    throw [error as GraphQLError];
  }
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const chosen =
    operationName === undefined ? operations : operations.filter(({ name }) => name?.value === operationName);
  const [operation] = chosen;
  if (!operation || chosen.length > 1) throw [new GraphQLError('Name one operation of the query')];
  if (operation.operation !== 'query')
    throw [new GraphQLError('Only queries are answered: nothing is changed here', { nodes: operation })];
  const fragments = new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  const query = { operation, fragments };
  const faults = checkQuery(query, rootType);
  if (faults.length > 0) throw faults;
  return query;
}

/** Said at once, as far as a hundred of them. */
const faultsAtMost = 100;

function checkQuery({ operation, fragments }: Query, rootType: string): GraphQLError[] {
  const faults: GraphQLError[] = [];
  const definitions = operation.variableDefinitions ?? [];
  const variables = new Set(definitions.map(({ variable }) => variable.name.value));
  /** Those that are true or false, and never nothing. */
  const conditions = new Set(definitions.filter(isCondition).map(({ variable }) => variable.name.value));
  let fields = 0;
  const fault = (message: string, node?: ASTNode) => {
    if (faults.length < faultsAtMost) faults.push(new GraphQLError(message, { nodes: node }));
  };

  function checkSet(set: SelectionSetNode, type: string, depth: number, within: readonly string[]): void {
    if (depth > limits.depth) {
      fault(`Selections are nested more than ${limits.depth} deep`, set);
      return;
    }
    for (const node of set.selections) {
      if (faults.length >= faultsAtMost || fields > limits.fields) return;
      checkDirectives(node.directives ?? []);
      if (node.kind === Kind.FIELD) {
        if (++fields > limits.fields) fault(`A query has at most ${limits.fields} fields`);
        else checkField(node, type, depth, within);
        continue;
      }
      const isSpread = node.kind === Kind.FRAGMENT_SPREAD;
      const fragment = isSpread ? fragments.get(node.name.value) : node;
      const name = isSpread ? node.name.value : undefined;
      if (!fragment) fault(`There is no fragment ${name}`, node);
      else if (name !== undefined && within.includes(name)) fault(`The fragment ${name} contains itself`, node);
      else {
        const condition = fragment.typeCondition?.name.value ?? type;
        if (!isKnownType(condition)) fault(`There is no type ${condition}`, node);
        else if (!applies(condition, type) && !applies(type, condition)) fault(`${type} is never ${condition}`, node);
        else checkSet(fragment.selectionSet, condition, depth, name === undefined ? within : [...within, name]);
      }
    }
  }

  function checkField(node: FieldNode, type: string, depth: number, within: readonly string[]): void {
    const name = node.name.value;
    const field = fieldOf(type, name);
    if (!field) {
      const isMeta = name === '__schema' || name === '__type';
      fault(
        isMeta ? 'The schema is not told: it is the one of the FHIR R4 specification' : `${type} has no field ${name}`,
        node,
      );
      return;
    }
    checkArguments(node.arguments ?? []);
    if (field.isLeaf && node.selectionSet) fault(`${name} has no fields of its own`, node);
    else if (!field.isLeaf && !node.selectionSet) fault(`Say which fields of ${name} you want`, node);
    else if (node.selectionSet) checkSet(node.selectionSet, field.type, depth + 1, within);
  }

  function checkDirectives(list: NonNullable<FieldNode['directives']>): void {
    for (const node of list) {
      const known = Object.hasOwn(directives, node.name.value) ? directives[node.name.value] : undefined;
      if (!known) fault(`There is no directive @${node.name.value}`, node);
      for (const argument of node.arguments ?? []) {
        if (known && !known.includes(argument.name.value))
          fault(`@${node.name.value} takes no ${argument.name.value}`, argument);
      }
      checkArguments(node.arguments ?? []);
      if (known?.includes('if')) checkCondition(node);
    }
  }

  function checkCondition({ name, arguments: given = [] }: DirectiveNode): void {
    const value = given.find((argument) => argument.name.value === 'if')?.value;
    if (!value) fault(`@${name.value} needs if`);
    else if (value.kind === Kind.VARIABLE) {
      if (!conditions.has(value.name.value)) fault(`The variable $${value.name.value} is no Boolean!`, value);
    } else if (value.kind !== Kind.BOOLEAN) fault(`if of @${name.value} is true or false`, value);
  }

  function checkArguments(given: readonly ArgumentNode[]): void {
    const names = new Set<string>();
    for (const argument of given) {
      if (names.has(argument.name.value)) fault(`${argument.name.value} is given twice`, argument);
      names.add(argument.name.value);
      checkVariables(argument.value);
    }
  }

  function checkVariables(value: ValueNode): void {
    visit(value, {
      Variable: (node) => {
        if (!variables.has(node.name.value)) fault(`The variable $${node.name.value} is not declared`, node);
      },
    });
  }

  checkSet(operation.selectionSet, rootType, 1, []);
  return faults;
}

function isCondition({ type, defaultValue }: VariableDefinitionNode): boolean {
  const named = type.kind === Kind.NON_NULL_TYPE ? type.type : defaultValue ? type : undefined;
  return named?.kind === Kind.NAMED_TYPE && named.name.value === 'Boolean';
}

function isKnownType(name: string): boolean {
  return name === queryType || name === anyResource || isResource(name) || r4Elements.of(name) !== undefined;
}
