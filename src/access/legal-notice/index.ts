/** `/mentions-legales`, for everybody. */
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { LegalNotice } from '../../config/index.ts';
import { legalNoticePage, stylesheetPath } from './page.ts';

export async function legalNoticeRoutes(
  app: FastifyInstance,
  { notice }: { notice: LegalNotice | undefined },
): Promise<void> {
  const page = legalNoticePage(notice);
  const stylesheet = readFileSync(new URL('./style.css', import.meta.url), 'utf8');
  app.get('/mentions-legales', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page),
  );
  app.get(stylesheetPath, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(stylesheet),
  );
}
