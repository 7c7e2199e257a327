/**
 * Closing an HTTP server ends the connections that are idle at that moment (https://nodejs.org/api/http.html#serverclosecallback). One whose answer is still under way
 * would stay open after it for as long as it may be kept alive, over a minute, and the server with it: whoever stops a server at 3 a.m. would
 * wait, or kill it. These are let go as soon as their answer is out; what is still coming in or going out after a while is cut: nothing of it was
 * answered as kept, and a study over a thin line would take an hour.
 */
import type { Server } from 'node:http';

/** Between two looks at what has become idle. */
const lookMs = 50;
/** How long requests under way are waited for. */
const graceMs = 20_000;

/** What there is of Fastify here. */
interface Closable {
  server: Pick<Server, 'closeAllConnections' | 'closeIdleConnections' | 'once'>;
  addHook(name: 'preClose', hook: () => Promise<void>): unknown;
}

/** Call it once for an application, before it listens. */
export function letConnectionsGo(app: Closable, patienceMs: number = graceMs): void {
  app.addHook('preClose', async () => {
    const look = setInterval(() => app.server.closeIdleConnections(), lookMs);
    const end = setTimeout(() => app.server.closeAllConnections(), patienceMs);
    app.server.once('close', () => {
      clearInterval(look);
      clearTimeout(end);
    });
  });
}
