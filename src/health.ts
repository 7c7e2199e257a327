/** `/healthz` (the process answers), `/readyz` (the database answers), `/metrics` (Prometheus text). */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Database, platformTenant } from './db/index.ts';

const readinessTimeoutMs = 2_000;

interface HealthOptions {
  database: Database;
  /** Numbers read when `/metrics` is asked: name → help and reader. */
  gauges?: readonly { name: string; help: string; read(): Promise<number> }[];
}

export async function healthRoutes(app: FastifyInstance, { database, gauges = [] }: HealthOptions): Promise<void> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const gauge of gauges) {
    new Gauge({
      name: gauge.name,
      help: gauge.help,
      registers: [registry],
      async collect() {
        // Numbers of the process are wanted most when the database is away; why it is away is not for whoever asks.
        this.set(await gauge.read().catch(() => Number.NaN));
      },
    });
  }

  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/readyz', async (_request, reply) => {
    try {
      await within(database.query(platformTenant, 'SELECT 1'), readinessTimeoutMs);
      return { status: 'ready' };
    } catch {
      return reply.code(503).send({ status: 'unavailable', reason: 'the database does not answer' });
    }
  });

  app.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
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
