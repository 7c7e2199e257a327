/** The built browser application at `/`: hashed assets cached for ever, every other path of its own answered by the page. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const immutableMs = 365 * 24 * 3600 * 1000;

export async function userInterfaceRoutes(app: FastifyInstance, { folder }: { folder: string }): Promise<void> {
  await app.register(fastifyStatic, {
    root: folder,
    index: 'index.html',
    wildcard: false,
    // Beside the page lies the mark of what it was built from.
    dotfiles: 'deny',
    setHeaders: (reply, path) => {
      const hashed = path.includes(`${join('/', 'assets')}`);
      reply.header('cache-control', hashed ? `public, max-age=${immutableMs / 1000}, immutable` : 'no-cache');
    },
  });
  app.setNotFoundHandler((request, reply) => {
    const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    if (!wantsPage) return reply.code(404).send({ error: 'not found', path: request.url.split('?')[0] });
    return reply
      .type('text/html')
      .header('cache-control', 'no-cache')
      .send(createReadStream(join(folder, 'index.html')));
  });
}
