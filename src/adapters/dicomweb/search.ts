/** PS3.18 §10.6: QIDO-RS at every level. */
import type { FastifyInstance } from 'fastify';
import type { Level } from '../../imaging/index.ts';
import { type RouteParameters, targetOf } from './addresses.ts';
import { sendText } from './compressed.ts';
import { dicomJson, requireJson } from './negotiation.ts';
import { searchParameters } from './search-parameters.ts';
import type { Service } from './service.ts';

const routes: readonly (readonly [path: string, level: Level])[] = [
  ['/studies', 'study'],
  ['/series', 'series'],
  ['/instances', 'instance'],
  ['/studies/:study/series', 'series'],
  ['/studies/:study/instances', 'instance'],
  ['/studies/:study/series/:series/instances', 'instance'],
];

export function searchRoutes(app: FastifyInstance, { imaging, access, url }: Service): void {
  for (const [path, level] of routes) {
    app.get<{ Params: RouteParameters }>(path, async (request, reply) => {
      const context = await access.identify(request, 'dicomweb:qido');
      requireJson(request);
      const named = request.params.study === undefined ? undefined : targetOf(request.params);
      const parameters = searchParameters(request.raw.url ?? '', level);
      // Inside a study the trail is the study's, as for its images; elsewhere each search leaves its own entry.
      const asked = (request.raw.url ?? '').replace(/^\//, '');
      // Before anything is looked for: how long a search takes tells what it finds.
      if (named) await access.mayRead(context, named.studyUid);
      else await access.maySearch(context, asked);
      const answer = await imaging.query(context, { ...parameters, level, serviceUrl: url(request), ...named });
      if (!named) await access.found(context, asked, answer.studies);
      if (answer.remaining > 0) {
        reply.header(
          'warning',
          `299 ${url(request)} "There are ${answer.remaining} additional results that can be requested"`,
        );
      }
      return sendText(request, reply.type(dicomJson), `[${answer.items.join(',')}]`);
    });
  }
}
