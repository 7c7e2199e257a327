/**
 * A refusal is in the trail before its answer leaves (design §5 rule 9), whichever route refused and however: also where a right is asked
 * for in the middle of something else. Register it before the routes.
 */
import type { FastifyInstance } from 'fastify';
import type { Access } from './access.ts';

export async function refusalsFirst(
  app: FastifyInstance,
  { access }: { access: Pick<Access, 'refusalsTold'> },
): Promise<void> {
  app.addHook('onSend', (request, reply, _payload, done) => {
    // Some routes answer under an id of ours, where the caller's is none that can be said again.
    const answered = reply.getHeader('x-request-id');
    const known = access.refusalsTold(request.id);
    const renamed = typeof answered === 'string' && answered !== request.id ? access.refusalsTold(answered) : undefined;
    if (!known && !renamed) return done();
    void Promise.all([known, renamed]).then(() => done());
  });
}
// Fastify keeps a plugin's hooks to itself unless it says otherwise; these are for everybody.
Object.assign(refusalsFirst, { [Symbol.for('skip-override')]: true });
