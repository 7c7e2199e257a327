/** What the machine can do at most, measured beside every figure: single-row SQL through `pg`, and socket → file → fsync. */
import { open, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { dataFolder } from '../../config/index.ts';
import { startEmbeddedPostgres } from '../../db/index.ts';
import { loadFor } from './load.ts';

/** A database of its own on the measured server's PostgreSQL. */
export async function rawDatabase(dataDir: string, connections: number) {
  const server = await startEmbeddedPostgres({
    directory: dataFolder({ dataDir } as Parameters<typeof dataFolder>[0], 'postgres'),
    visitor: true,
  });
  const pool = new pg.Pool({ connectionString: server.superuserUrl, max: connections });
  // The measured server ends its PostgreSQL when it stops; connections on their way out may hear of it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  await pool.query('DROP TABLE IF EXISTS raw_row; CREATE TABLE raw_row (id text PRIMARY KEY, content text NOT NULL)');
  let closed: Promise<void> | undefined;
  return {
    /** Durable single-row INSERTs of `content` per second, one statement a round trip. */
    async inserts(content: string, seconds: number): Promise<number> {
      const run = Math.random().toString(36).slice(2);
      const { perSecond } = await loadFor(seconds, connections, (n) =>
        pool.query({
          name: 'raw-insert',
          text: 'INSERT INTO raw_row (id, content) VALUES ($1, $2)',
          values: [`${run}-${n}`, content],
        }),
      );
      return perSecond;
    },
    /** Single-row SELECTs by primary key per second. */
    async selects(content: string, seconds: number): Promise<number> {
      await pool.query(
        "INSERT INTO raw_row (id, content) VALUES ('one', $1) ON CONFLICT (id) DO UPDATE SET content = $1",
        [content],
      );
      const { perSecond } = await loadFor(seconds, connections, () =>
        pool.query({ name: 'raw-select', text: 'SELECT content FROM raw_row WHERE id = $1', values: ['one'] }),
      );
      return perSecond;
    },
    close(): Promise<void> {
      closed ??= pool.end();
      return closed;
    },
  };
}

/**
 * Milliseconds until a written page is on the disk. A commit waits for it: where it takes long, what many callers commit together counts for
 * more than what a create costs the processors.
 */
export async function flushMs(folder: string, flushes = 300): Promise<number> {
  const path = join(folder, `raw-flush-${process.pid}`);
  const page = Buffer.alloc(8192, 7);
  const file = await open(path, 'w');
  try {
    // As PostgreSQL's log: a file that has its size already.
    for (let n = 0; n < flushes; n++) await file.write(page);
    await file.sync();
    const start = performance.now();
    for (let n = 0; n < flushes; n++) {
      await file.write(page, 0, page.length, n * page.length);
      await file.datasync();
    }
    return (performance.now() - start) / flushes;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/**
 * Megabytes (10⁶ bytes) per second from a loopback socket into a file that is synchronised to disk, `connections` at once: the
 * least any receiver of images must do.
 */
export async function socketToDisk(
  folder: string,
  objectBytes: number,
  objects: number,
  connections: number,
): Promise<number> {
  const payload = Buffer.alloc(objectBytes, 7);
  let files = 0;
  const written: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const path = join(folder, `raw-limit-${process.pid}-${files++}`);
    written.push(path);
    const receive = async () => {
      const file = await open(path, 'w');
      for await (const chunk of socket) await file.write(chunk as Buffer);
      await file.sync();
      await file.close();
      socket.end('k');
    };
    receive().catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', reject);
      socket.on('data', () => resolve());
      socket.on('end', () => {
        socket.destroy();
        reject(new Error('the raw receiver closed without its answer'));
      });
      socket.end(payload);
    });
  const start = performance.now();
  let left = objects;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) await one();
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  server.close();
  await Promise.all(written.map((path) => rm(path, { force: true })));
  return (objectBytes * objects) / 1e6 / seconds;
}
