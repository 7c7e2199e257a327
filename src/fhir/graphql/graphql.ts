/** One call of $graphql: the query out of the request, the answer of https://spec.graphql.org/October2021/#sec-Response out of the result. */
import { GraphQLError } from 'graphql';
import type { OperationAnswer, OperationCall } from '../contract.ts';
import { textOnce } from '../operations/input.ts';
import { variablesOf } from './arguments.ts';
import { readQuery } from './document.ts';
import { execute, type Result } from './execute.ts';
import { createBudget } from './limits.ts';
import { createSource } from './source.ts';
import { queryType } from './types.ts';

interface Asked {
  query: string;
  operationName?: string;
  variables: Record<string, unknown>;
}

export async function graphql(call: OperationCall): Promise<OperationAnswer> {
  const rootType = call.type ?? queryType;
  try {
    const asked = askedOf(call);
    const query = readQuery(asked.query, asked.operationName, rootType);
    const variables = variablesOf(query.operation, asked.variables);
    const budget = createBudget(() => performance.now());
    const source = createSource(call, budget);
    const value = call.type && call.id ? await source.instance(call.type, call.id) : undefined;
    const result = await execute(query, variables, { type: rootType, value }, source, budget);
    return { ...answer(200, result), shown: source.shown() };
  } catch (error) {
    const errors = Array.isArray(error) ? error : [error];
    // Not a query: nothing was done. Anything else is not for here.
    if (!errors.every((each) => each instanceof GraphQLError)) throw error;
    return { ...answer(400, { errors }), shown: [] };
  }
}

/** `application/json` and not FHIR's: the answer is no resource. */
function answer(status: number, { data, errors }: Partial<Result>): OperationAnswer {
  const body = JSON.stringify({ ...(data === undefined ? {} : { data }), ...(errors?.length ? { errors } : {}) });
  return { status, content: { type: 'application/json; charset=utf-8', body } };
}

/** From the query of a GET, Parameters, or the JSON body of https://graphql.org/learn/serving-over-http. */
function askedOf(call: OperationCall): Asked {
  const body = call.resource as unknown as Partial<Record<keyof Asked, unknown>> | undefined;
  const query = body ? body.query : textOnce(call.parameters, 'query');
  const operationName = body ? body.operationName : textOnce(call.parameters, 'operationName');
  const variables = body ? body.variables : parsedVariables(textOnce(call.parameters, 'variables'));
  if (typeof query !== 'string') throw new GraphQLError('A query is needed');
  if (typeof (variables ?? {}) !== 'object' || Array.isArray(variables))
    throw new GraphQLError('variables is an object');
  return {
    query,
    ...(typeof operationName === 'string' && operationName !== '' ? { operationName } : {}),
    variables: (variables ?? {}) as Record<string, unknown>,
  };
}

function parsedVariables(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new GraphQLError('variables is not JSON');
  }
}
