/**
 * An OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) of the RESTful API, made from what serves: the routes, the search
 * parameters, the registered operations and the definitions of R4.
 */
import type { StructureFile } from '../definitions/structure-file.ts';
import { sharedParameters } from './parameters.ts';
import { operationPaths, routePaths } from './paths.ts';
import { schemasOf } from './schemas.ts';

/** An object of the OpenAPI document. */
export type Item = Record<string, unknown>;
/** By path, then by method in lower case. */
export type Paths = Record<string, Item>;

export interface ApiRoute {
  method: string;
  /** Segments below the base: `:type :id :versionId :compartment :member` are values, `$` an operation. */
  path: string;
  /** Code of the interaction. */
  code: string;
  isPublic: boolean;
}

export interface ApiOperation {
  name: string;
  /** Undefined: offered on every type (or on the system). */
  type?: string;
  level: 'instance' | 'type' | 'system';
  affectsState: boolean;
}

export interface ApiDescription {
  /** Service base URL, without a slash at the end. */
  base: string;
  /** Of the software. */
  version: string;
  routes: readonly ApiRoute[];
  operations: readonly ApiOperation[];
  types: readonly string[];
  compartments: Iterable<string>;
  /** Whether an interaction is offered on a type. */
  offers(type: string, code: string): boolean;
  structure: StructureFile;
  parameters(type: string): readonly { name: string; type: string }[];
}

export function openApiDocument(api: ApiDescription): Item {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Passerelle FHIR R4',
      version: api.version,
      description:
        'RESTful API of FHIR R4 (https://hl7.org/fhir/R4/http.html). The CapabilityStatement at /metadata says the same in the words of FHIR. ' +
        'Pages of this server are also authenticated by their session cookie.',
    },
    servers: [{ url: api.base }],
    security: [{ bearer: [] }],
    tags: ['system', ...api.types].map((name) => ({ name })),
    paths: merge(routePaths(api), operationPaths(api)),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      parameters: sharedParameters,
      schemas: schemasOf(api.structure),
      responses: {
        failure: {
          description: 'The request was refused or failed',
          content: contentOf('OperationOutcome'),
        },
      },
    },
  };
}

/** A resource in the two formats; XML is what the specification says it is, not what a JSON schema could. */
export function contentOf(type: string): Item {
  return {
    'application/fhir+json': { schema: { $ref: `#/components/schemas/${type}` } },
    'application/fhir+xml': {},
  };
}

function merge(...parts: readonly Paths[]): Paths {
  const merged: Paths = {};
  for (const part of parts) {
    for (const [path, item] of Object.entries(part)) merged[path] = { ...merged[path], ...item };
  }
  return merged;
}
