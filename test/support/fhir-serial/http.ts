import { Agent, request } from 'node:http';

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  start: number;
  end: number;
}

export interface HttpRequest {
  method: string;
  /** Below the service base. */
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  contentType?: string;
}

export interface HttpClient {
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

/** One connection to a server, kept open. @param base e.g. `http://127.0.0.1:8080/fhir` */
export function httpClient(base: string): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    send: ({ method, path, headers = {}, body, contentType = 'application/fhir+json' }) =>
      new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
        const start = performance.now();
        const sent = request(
          `${base}/${path}`,
          {
            agent,
            method,
            headers: {
              ...headers,
              ...(payload ? { 'content-type': contentType, 'content-length': payload.length } : {}),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () =>
              resolve({
                status: response.statusCode!,
                headers: response.headers,
                text: Buffer.concat(chunks).toString('utf8'),
                start,
                end: performance.now(),
              }),
            );
          },
        );
        sent.on('error', reject);
        sent.end(payload);
      }),
    close: () => agent.destroy(),
  };
}
