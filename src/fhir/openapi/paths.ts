/** The addresses of the API, a path per type and shape (https://spec.openapis.org/oas/v3.1.0#paths-object). */
import type { ApiDescription, ApiOperation, ApiRoute, Item, Paths } from './description.ts';
import { parametersOf, pathParameters } from './parameters.ts';
import { contentOf } from './schemas.ts';

const failure = { $ref: '#/components/responses/failure' };

/** The routes, those of operations apart. Every type gets its own paths: its own body, its own search parameters. */
export function routePaths(api: ApiDescription): Paths {
  const paths: Paths = { '/': { post: bundleOperation() } };
  for (const route of api.routes) {
    if (route.path.includes('$')) continue;
    const variable = /:(type|compartment)/.exec(route.path)?.[0];
    const owners = variable === ':type' ? api.types : variable ? api.compartments : [undefined];
    for (const type of owners) {
      if (type && !api.offers(type, route.code)) continue;
      const path = `/${templated(variable ? route.path.replace(variable, type!) : route.path)}`;
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: routeOperation(api, route, path, type) };
    }
  }
  return paths;
}

/** `Patient/:id` → `Patient/{id}`. */
function templated(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

function routeOperation(api: ApiDescription, route: ApiRoute, path: string, type: string | undefined): Item {
  const { code, method } = route;
  const isOwn = route.path.startsWith(':type');
  const isForm = path.endsWith('/_search');
  const criteria = isOwn && (code === 'search-type' || isConditional(route)) && !isForm ? api.parameters(type!) : [];
  return {
    operationId: idOf(route, path, type),
    tags: [type ?? 'system'],
    ...(route.isPublic ? { security: [] } : {}),
    parameters: [
      ...pathParameters(path),
      ...criteria.map(searchParameter),
      // What a form is sent with stands in the form.
      ...parametersOf(isForm ? '' : code),
    ],
    ...(isForm ? { requestBody: formBody } : bodyOf(code, type)),
    responses: { ...success(code, method, isOwn ? type! : undefined), default: failure },
  };
}

/** A write that names its resource by criteria. */
function isConditional({ method, path }: ApiRoute): boolean {
  return path === ':type' && method !== 'GET' && method !== 'POST';
}

/** Unique: interaction, type, and what tells two routes of one interaction apart. */
function idOf(route: ApiRoute, path: string, type: string | undefined): string {
  const shape = [
    isConditional(route) && 'conditional',
    route.path.startsWith(':compartment') && 'compartment',
    path.endsWith('/_search') && 'post',
  ].filter(Boolean);
  return [...shape, route.code, type].filter(Boolean).join('-');
}

function searchParameter({ name, type }: { name: string; type: string }): Item {
  return { name, in: 'query', description: type, schema: { type: 'string' } };
}

const formBody = {
  required: true,
  content: {
    'application/x-www-form-urlencoded': {
      schema: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
};

function bodyOf(code: string, type: string | undefined): Item {
  if (code === 'patch')
    return {
      requestBody: {
        required: true,
        content: {
          'application/json-patch+json': { schema: { type: 'array', items: { type: 'object' } } },
          ...contentOf('Parameters'),
        },
      },
    };
  if (code !== 'create' && code !== 'update') return {};
  const files = type === 'Binary' ? { '*/*': {} } : {};
  return { requestBody: { required: true, content: { ...contentOf(type!), ...files } } };
}

function success(code: string, method: string, type: string | undefined): Item {
  const answer = (description: string, answered: string) => ({ description, content: contentOf(answered) });
  switch (code) {
    case 'capabilities':
      return { 200: answer('What the server can do', 'CapabilityStatement') };
    case 'read':
    case 'vread':
      return {
        200: answer('The resource', type!),
        ...(code === 'read' ? { 304: { description: 'Not modified' } } : {}),
      };
    case 'create':
      return { 201: answer('Created', type!), 200: answer('It existed already (If-None-Exist)', type!) };
    case 'update':
    case 'patch':
      return { 200: answer('Stored', type!), ...(method === 'PUT' ? { 201: answer('Created', type!) } : {}) };
    case 'delete':
      return { 204: { description: 'Deleted, or not there' } };
    default:
      return { 200: answer('What was found', 'Bundle') };
  }
}

function bundleOperation(): Item {
  return {
    operationId: 'batch-or-transaction',
    tags: ['system'],
    parameters: parametersOf('batch'),
    requestBody: { required: true, content: contentOf('Bundle') },
    responses: { 200: { description: 'What came of the entries', content: contentOf('Bundle') }, default: failure },
  };
}

/** Operations, each where it is offered: one for every type is on the paths of every type. */
export function operationPaths(api: ApiDescription): Paths {
  const paths: Paths = {};
  for (const operation of api.operations) {
    const owners = operation.level === 'system' ? [undefined] : operation.type ? [operation.type] : api.types;
    for (const type of owners) {
      const path = [type && `/${type}`, operation.level === 'instance' && '/{id}', `/$${operation.name}`]
        .filter(Boolean)
        .join('');
      paths[path] = { ...paths[path], ...invocations(operation, path, type) };
    }
  }
  return paths;
}

function invocations(operation: ApiOperation, path: string, type: string | undefined): Item {
  const invocation = (method: string) => ({
    operationId: ['operation', method, operation.level, operation.name, type].filter(Boolean).join('-'),
    tags: [type ?? 'system'],
    parameters: [...pathParameters(path), ...parametersOf('operation')],
    ...(method === 'post' ? { requestBody: { content: contentOf('Parameters') } } : {}),
    responses: { 200: { description: 'What the operation answers', content: contentOf('Resource') }, default: failure },
  });
  return { post: invocation('post'), ...(operation.affectsState ? {} : { get: invocation('get') }) };
}
