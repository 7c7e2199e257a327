/** Load from this process: a fixed number of workers, a fixed amount of work or time, every duration kept. */
import { Agent, request } from 'node:http';

export interface Load {
  /** Completed per second over the whole run. */
  perSecond: number;
  /** Milliseconds each, in order of completion. */
  durations: number[];
}

/** Runs `work(n)` with `workers` at once until `seconds` have passed (at least one each). */
export async function loadFor(seconds: number, workers: number, work: (n: number) => Promise<unknown>): Promise<Load> {
  const start = performance.now();
  const end = start + seconds * 1000;
  return load(start, workers, work, () => performance.now() < end);
}

/** Runs `work(0…total-1)` with `workers` at once. */
export async function loadTotal(total: number, workers: number, work: (n: number) => Promise<unknown>): Promise<Load> {
  return load(performance.now(), workers, work, (n) => n < total);
}

async function load(
  start: number,
  workers: number,
  work: (n: number) => Promise<unknown>,
  wanted: (n: number) => boolean,
): Promise<Load> {
  const durations: number[] = [];
  let next = 0;
  const worker = async () => {
    while (wanted(next)) {
      const n = next++;
      const begin = performance.now();
      await work(n);
      durations.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return { perSecond: (durations.length * 1000) / (performance.now() - start), durations };
}

/** One keep-alive HTTP client for a load: as little of its own cost as Node allows. */
export function httpLoad(httpUrl: string, token: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(httpUrl);
  return {
    /** @throws Error when the status is not one of those expected. */
    send(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<number> {
      return new Promise((resolve, reject) => {
        const call = request(
          {
            agent,
            hostname,
            port,
            method,
            path,
            headers: {
              authorization: `Bearer ${token}`,
              accept: 'application/fhir+json',
              ...(body ? { 'content-type': 'application/fhir+json', 'content-length': String(body.length) } : {}),
              ...headers,
            },
          },
          (response) => {
            const failed = (response.statusCode ?? 500) >= 300;
            const chunks: Buffer[] = [];
            let bytes = 0;
            response.on('data', (chunk: Buffer) => {
              bytes += chunk.length;
              if (failed) chunks.push(chunk);
            });
            response.on('end', () =>
              failed
                ? reject(
                    new Error(
                      `${method} ${path}: ${response.statusCode} ${Buffer.concat(chunks).toString().slice(0, 400)}`,
                    ),
                  )
                : resolve(bytes),
            );
          },
        );
        call.on('error', reject);
        call.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
