/** Executes a query (https://spec.graphql.org/October2021/#sec-Execution) with the directives of https://hl7.org/fhir/R4/graphql.html. */
import { type FieldNode, GraphQLError, type SelectionSetNode } from 'graphql';
import { FhirError } from '../contract.ts';
import { argumentsOf, directive, fieldsOf, mergedField, responseName, type Variables } from './arguments.ts';
import type { Query } from './document.ts';
import { type Budget, LimitError } from './limits.ts';
import { chosen, sliceName } from './list-arguments.ts';
import { createOutput, type Output } from './output.ts';
import { type Field, fieldOf, isResource, typeName } from './types.ts';

/** What fields other than elements are answered with. */
export interface Source {
  /** `Patient(id: …)` */
  read(type: string, args: ReadonlyMap<string, unknown>): Promise<object | undefined>;
  /** `PatientList(…)`, at the root or of the resource in scope. */
  list(type: string, args: ReadonlyMap<string, unknown>, scope: object | undefined): Promise<object[]>;
  /** `PatientConnection(…)`; counts only when the selection asks for it. */
  connection(
    type: string,
    args: ReadonlyMap<string, unknown>,
    scope: object | undefined,
    counts: boolean,
  ): Promise<object>;
  /** `resource` of a Reference. */
  target(reference: object, args: ReadonlyMap<string, unknown>, scope: object | undefined): Promise<object | undefined>;
}

interface Execution {
  query: Query;
  variables: Variables;
  source: Source;
  budget: Budget;
  errors: GraphQLError[];
}

/** Where a field stands. */
interface Place {
  type: string;
  value: unknown;
  /** The resource it is in. */
  scope: object | undefined;
  path: readonly (string | number)[];
  /** Inside a flattened list: single values collect too. */
  collects: boolean;
  suffix: string;
}

export interface Result {
  data: Record<string, unknown> | null;
  errors: GraphQLError[];
}

/** @param root the instance, or nothing at the system level. */
export async function execute(
  query: Query,
  variables: Variables,
  root: { type: string; value: object | undefined },
  source: Source,
  budget: Budget,
): Promise<Result> {
  const execution: Execution = { query, variables, source, budget, errors: [] };
  const place = { ...root, scope: root.value, path: [], collects: false, suffix: '' };
  try {
    const data = await objectOf(execution, place, query.operation.selectionSet);
    return { data, errors: execution.errors };
  } catch (error) {
    if (error instanceof LimitError) return { data: null, errors: [error] };
    throw error;
  }
}

async function objectOf(execution: Execution, place: Place, set: SelectionSetNode): Promise<Record<string, unknown>> {
  const output = createOutput();
  await addFields(execution, place, set, output);
  return output.finish();
}

async function addFields(execution: Execution, place: Place, set: SelectionSetNode, output: Output): Promise<void> {
  const { query, variables } = execution;
  const asked = Map.groupBy(fieldsOf(set, place.type, query.fragments, variables), responseName);
  for (const [name, nodes] of asked) {
    const node = mergedField(nodes);
    if (node) await addField(execution, place, node, output);
    else {
      const path = [...place.path, name];
      output.declare(name, 'single');
      execution.errors.push(
        new GraphQLError(`${name} is asked for in two ways: give one another name`, { nodes, path }),
      );
    }
  }
}

/** A field that fails is null, and the errors say why; the rest of the answer stands. */
async function addField(execution: Execution, place: Place, node: FieldNode, output: Output): Promise<void> {
  const field = fieldOf(place.type, node.name.value)!;
  const key = responseName(node) + place.suffix;
  const path = [...place.path, key];
  const isFlattened = directive(node, 'flatten') !== undefined;
  if (!isFlattened) output.declare(key, shapeOf(node, field, place));
  try {
    let values = await valuesOf(execution, place, node, field);
    if (directive(node, 'first')) values = values.slice(0, 1);
    execution.budget.values(values.length + 1);
    for (const [index, value] of values.entries()) {
      const below: Place = {
        type: runtimeType(field, value),
        value,
        scope: isResource(field.type) ? (value as object) : place.scope,
        path: field.repeats ? [...path, index] : path,
        collects: isFlattened && (place.collects || (field.repeats && !directive(node, 'first'))),
        suffix: suffixOf(execution, node, place, value, index),
      };
      if (isFlattened) await addFields(execution, below, node.selectionSet!, output);
      else output.add(key, field.isLeaf ? value : await objectOf(execution, below, node.selectionSet!));
    }
  } catch (error) {
    execution.errors.push(located(error, node, path));
  }
}

function shapeOf(node: FieldNode, field: Field, place: Place): 'single' | 'list' | 'singleton' {
  if (directive(node, 'singleton')) return 'singleton';
  return place.collects || (field.repeats && !directive(node, 'first')) ? 'list' : 'single';
}

/** Values of a field, none when there is nothing. */
async function valuesOf(
  { variables, source, query }: Execution,
  place: Place,
  node: FieldNode,
  field: Field,
): Promise<unknown[]> {
  const args = argumentsOf(node, variables);
  const one = (value: unknown) => (value === undefined || value === null ? [] : [value]);
  switch (field.kind) {
    case 'typename':
      return [typeName(place.type)];
    case 'read':
      return one(await source.read(field.type, args));
    case 'list':
      return source.list(field.type, args, place.scope);
    case 'connection': {
      const type = field.type.split(' ')[1]!;
      const asked = [...fieldsOf(node.selectionSet!, field.type, query.fragments, variables)];
      return [
        await source.connection(
          type,
          args,
          place.scope,
          asked.some(({ name }) => name.value === 'count'),
        ),
      ];
    }
    case 'target':
      return one(await source.target(place.value as object, args, place.scope));
    case 'element': {
      const held = (place.value as Record<string, unknown>)[node.name.value];
      const values = Array.isArray(held) ? held.filter((item) => item !== null) : one(held);
      if (args.size === 0) return values;
      if (!field.repeats) throw new GraphQLError(`${node.name.value} does not repeat: it takes no arguments`);
      return chosen(values, field.type, args);
    }
  }
}

/** A resource is what it says it is. */
function runtimeType(field: Field, value: unknown): string {
  const named = isResource(field.type) ? (value as { resourceType?: unknown }).resourceType : undefined;
  return typeof named === 'string' ? named : field.type;
}

function suffixOf({ variables }: Execution, node: FieldNode, place: Place, value: unknown, index: number): string {
  const slice = directive(node, 'slice');
  if (!slice) return directive(node, 'flatten') ? place.suffix : '';
  const args = argumentsOf(slice, variables);
  const name = sliceName(String(args.get('path') ?? args.get('fhirpath') ?? '$index'), value, index);
  return `${place.suffix}.${name}`;
}

function located(error: unknown, node: FieldNode, path: readonly (string | number)[]): GraphQLError {
  if (error instanceof LimitError) throw error;
  const isSaid = error instanceof GraphQLError || (error instanceof FhirError && error.status < 500);
  // Ours, or the database's: the whole request fails, and is logged where all are.
  if (!isSaid) throw error;
  const extensions = error instanceof FhirError ? { code: error.outcome.issue[0]!.code, status: error.status } : {};
  return new GraphQLError((error as Error).message, { nodes: node, path, extensions });
}
