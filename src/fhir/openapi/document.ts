/**
 * An OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0) of the RESTful API, made from what serves: the routes, the search
 * parameters, the registered operations and the definitions of R4.
 */
import type { ApiDescription, Item, Paths } from './description.ts';
import { sharedParameters } from './parameters.ts';
import { operationPaths, routePaths } from './paths.ts';
import { contentOf, schemasOf } from './schemas.ts';

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

function merge(...parts: readonly Paths[]): Paths {
  const merged: Paths = {};
  for (const part of parts) {
    for (const [path, item] of Object.entries(part)) merged[path] = { ...merged[path], ...item };
  }
  return merged;
}
