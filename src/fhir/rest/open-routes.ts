/** Beside the RESTful API, for anybody: its OpenAPI document and the style sheet of its pages. Nothing about patients is in them. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { r4Structure, r4Types } from '../definitions/structure-r4.ts';
import { stylesheet, stylesheetPath } from '../html/index.ts';
import { type ApiDescription, openApiDocument } from '../openapi/index.ts';
import type { Service } from './call.ts';
import { takesGzip } from './content-encoding.ts';
import { compartmentTypes } from './routes.ts';
import { softwareVersion } from './software-version.ts';
import { validateOperations } from './validate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers anybody, whatever is asked for. */
    isOpen?: boolean;
  }
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);

export function openRoutes(app: FastifyInstance, service: Service, baseOf: (request: FastifyRequest) => string): void {
  const config = { isOpen: true };

  app.get(`/${stylesheetPath}`, { config }, async (_request, reply) =>
    // Its address changes with its content.
    reply
      .type('text/css; charset=utf-8')
      .header('Cache-Control', 'public, max-age=31536000, immutable')
      .send(stylesheet),
  );

  // One document is enough: an address that names a tenant could name any, and whoever asks need not have an account.
  if (app.prefix.includes(':tenant')) return;
  // Making the document takes tenths of a second and megabytes: it is kept, compressed, for the base last asked for.
  let kept: { key: string; document: Promise<Buffer> } | undefined;
  app.get('/openapi.json', { config }, async (request, reply) => {
    const base = baseOf(request);
    const key = `${service.store.operations.length} ${base}`;
    if (kept?.key !== key) kept = { key, document: compress(JSON.stringify(openApiDocument(describe(base, service)))) };
    const document = await kept.document;
    reply.type('application/json; charset=utf-8').header('Cache-Control', 'no-cache').header('Vary', 'Accept-Encoding');
    const isGzip = takesGzip(request.headers['accept-encoding']);
    return isGzip ? reply.header('Content-Encoding', 'gzip').send(document) : reply.send(await decompress(document));
  });
}

function describe(base: string, { routes, store, searchDefinitions }: Service): ApiDescription {
  return {
    base,
    version: softwareVersion,
    types: r4Types,
    structure: r4Structure,
    compartments: compartmentTypes,
    routes: routes.map(({ method, path, interaction }) => ({
      method,
      path,
      code: interaction.code,
      isPublic: interaction.access === 'system' && interaction.isPublic === true,
    })),
    operations: [...store.operations, ...r4Types.flatMap((type) => validateOperations(type))],
    parameters: (type) =>
      searchDefinitions.parameters(type).map(({ code, type: kind }) => ({ name: code, type: kind })),
    // The store refuses to change the audit trail.
    offers: (type, code) => type !== 'AuditEvent' || !['update', 'patch', 'delete'].includes(code),
  };
}
