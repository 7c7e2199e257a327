/**
 * What Node, the same HTTP framework and the same database driver allow on this machine when a request is one statement and nothing else:
 * no caller, no validation, no search values, no trail, no tenants. The ratio to it is what all of that costs.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import pg from 'pg';
import { dataFolder } from '../../config/index.ts';
import { startEmbeddedPostgres } from '../../db/index.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/** As many as the pool of the application has (src/db/database.ts). */
const connections = 12;

/** Starts it as a process of its own beside the server that owns the data folder: `POST /` and `GET /[id]`. */
export function startPeerServer(dataDir: string): Promise<ServerProcess> {
  return startServerProcess(fileURLToPath(import.meta.url), dataDir);
}

async function servePeer(dataDir: string): Promise<void> {
  const { superuserUrl } = await startEmbeddedPostgres({
    directory: dataFolder({ dataDir } as Parameters<typeof dataFolder>[0], 'postgres'),
    visitor: true,
  });
  const pool = new pg.Pool({ connectionString: superuserUrl, max: connections });
  await pool.query('DROP TABLE IF EXISTS peer_row; CREATE TABLE peer_row (id text PRIMARY KEY, content text NOT NULL)');
  const app = fastify();
  app.addContentTypeParser('application/fhir+json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, JSON.parse(body as string)),
  );
  app.post('/', async (request, reply) => {
    const id = randomUUID();
    const text = JSON.stringify({ ...(request.body as object), id });
    const statement = { name: 'peer-insert', text: 'INSERT INTO peer_row (id, content) VALUES ($1, $2)' };
    await pool.query({ ...statement, values: [id, text] });
    reply.code(201).type('application/fhir+json').header('Location', `/${id}`);
    return text;
  });
  app.get<{ Params: { id: string } }>('/:id', async ({ params: { id } }, reply) => {
    const statement = { name: 'peer-select', text: 'SELECT content FROM peer_row WHERE id = $1' };
    const { rows } = await pool.query<{ content: string }>({ ...statement, values: [id] });
    if (!rows[0]) return reply.code(404).send();
    reply.type('application/fhir+json');
    return rows[0].content;
  });
  process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
  process.once('SIGTERM', () => {
    void app.close().then(() => pool.end());
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await servePeer(process.argv[2]!);
