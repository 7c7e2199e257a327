/** `/.well-known/security.txt` (RFC 9116): where somebody who found a weakness can say so. Not signed: TLS vouches for it. */
import type { FastifyInstance } from 'fastify';

/** RFC 9116 §2.5.5 recommends less than a year. */
const validForDays = 180;
const path = '/.well-known/security.txt';

export interface SecurityTxtOptions {
  /** URI of who is told. */
  contact: string;
  /** Public address of the server, without a slash at the end. */
  baseUrl: () => string;
  /** Real time: who reads the file has no other. */
  now: () => Date;
}

export async function securityTxtRoute(app: FastifyInstance, options: SecurityTxtOptions): Promise<void> {
  app.get(path, async (_request, reply) => {
    // What was fetched yesterday must not outlive what it says.
    reply.header('cache-control', 'public, max-age=86400');
    return reply.type('text/plain; charset=utf-8').send(securityTxt(options));
  });
}

function securityTxt({ contact, baseUrl, now }: SecurityTxtOptions): string {
  const expires = new Date(now().getTime() + validForDays * 86_400_000);
  expires.setUTCHours(0, 0, 0, 0);
  const lines = [
    `Contact: ${contact}`,
    `Expires: ${expires.toISOString()}`,
    'Preferred-Languages: fr, en',
    // A canonical address is of the web (RFC 9116 §2.5.2: https).
    ...(baseUrl().startsWith('https:') ? [`Canonical: ${baseUrl()}${path}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
