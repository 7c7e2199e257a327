import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** One message as the peer took it; `text` is the whole of it, headers first, as sent. */
export interface TakenMail {
  to: string[];
  from: string;
  /** Whether it came over TLS. */
  secure: boolean;
  user: string | undefined;
  text: string;
}

export interface SmtpPeer {
  port: number;
  messages: TakenMail[];
  /** Answers to a message; taken when absent. */
  refuse?: Error;
  close(): Promise<void>;
}

/** A real mail server on a free port: it keeps what it is given. The password of every account is `s3cret`. */
export async function openSmtpPeer(options: SMTPServerOptions = {}): Promise<SmtpPeer> {
  const peer = { port: 0, messages: [] } as unknown as SmtpPeer;
  const server = new SMTPServer({
    onAuth: ({ username, password }, _session, done) =>
      password === 's3cret' ? done(null, { user: username ?? '' }) : done(new Error('no')),
    onData(stream, { envelope, secure, user }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (peer.refuse) return done(peer.refuse);
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        const to = envelope.rcptTo.map(({ address }) => address);
        const text = Buffer.concat(chunks).toString();
        peer.messages.push({ to, from, secure, user: user as string | undefined, text });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  peer.port = (server.server.address() as AddressInfo).port;
  peer.close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return peer;
}

/** Headers and parts of a message in clear: quoted-printable and base64 bodies decoded, encoded words of headers too. */
export function readable(text: string): string {
  const bytes = (latin: string): string => Buffer.from(latin, 'latin1').toString();
  const quoted = (value: string): string =>
    bytes(
      value
        .replace(/=\r?\n/g, '')
        .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
  const words = text
    .replace(/\?=\r?\n =\?/g, '?= =?')
    .replace(/\?= =\?/g, '?==?')
    .replace(/=\?utf-8\?Q\?([^?]*)\?=/gi, (_, word: string) => quoted(word.replaceAll('_', ' ')))
    .replace(/=\?utf-8\?B\?([^?]*)\?=/gi, (_, word: string) => Buffer.from(word, 'base64').toString());
  return words
    .split(/(?=^--)/m)
    .map((part) => {
      const [head = '', ...body] = part.split('\r\n\r\n');
      const rest = body.join('\r\n\r\n');
      if (/transfer-encoding: base64/i.test(head)) return `${head}\r\n\r\n${Buffer.from(rest, 'base64').toString()}`;
      if (/transfer-encoding: quoted-printable/i.test(head)) return `${head}\r\n\r\n${quoted(rest)}`;
      return part;
    })
    .join('');
}
