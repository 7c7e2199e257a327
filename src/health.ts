/**
 * `/healthz` (the process answers), `/readyz` (the database answers and takes writes), `/metrics` (Prometheus text). The first two say one word to
 * anybody; numbers are for who asks on the machine itself or shows the token of monitoring.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { isOnThisMachine } from './access/index.ts';
import type { Secret } from './config/index.ts';
import { type Database, platformTenant } from './db/index.ts';

const readinessTimeoutMs = 2_000;
/** Monitoring gives up after ten seconds, and would then have none of the numbers. */
const gaugeTimeoutMs = 3_000;

const takesWrites = "SELECT current_setting('transaction_read_only') = 'off' AS writes";

interface HealthOptions {
  database: Database;
  /** Numbers read when `/metrics` is asked: name → help and reader. */
  gauges?: readonly { name: string; help: string; read(): Promise<number> }[];
  metricsToken?: Secret | undefined;
}

export async function healthRoutes(app: FastifyInstance, options: HealthOptions): Promise<void> {
  const { database, gauges = [], metricsToken } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const gauge of gauges) {
    new Gauge({
      name: gauge.name,
      help: gauge.help,
      registers: [registry],
      async collect() {
        // Numbers of the process are wanted most when the database is away; why it is away is not for whoever asks.
        this.set(await within(gauge.read(), gaugeTimeoutMs).catch(() => Number.NaN));
      },
    });
  }

  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/readyz', async (_request, reply) => {
    try {
      const asked = database.query<{ writes: boolean }>(platformTenant, takesWrites);
      const { rows } = await within(asked, readinessTimeoutMs);
      // A standby, or one its operator closed for want of room: nothing can be audited, so nothing can be answered.
      if (rows[0]?.writes) return { status: 'ready' };
      return reply.code(503).send({ status: 'unavailable', reason: 'the database takes no writes' });
    } catch {
      return reply.code(503).send({ status: 'unavailable', reason: 'the database does not answer' });
    }
  });

  app.get('/metrics', async (request, reply) => {
    if (!isOnThisMachine(request) && !showsToken(request, metricsToken)) {
      return reply.code(403).send({ reason: 'numbers are for monitoring: METRICS_TOKEN' });
    }
    reply.type(registry.contentType);
    return registry.metrics();
  });
}

/** Compared in the same time whatever is shown. */
function showsToken({ headers }: FastifyRequest, token: Secret | undefined): boolean {
  const digest = (text: string) => hash('sha256', text, 'buffer');
  return token !== undefined && timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token()}`));
}

async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
