/** The mail server, over SMTP (RFC 5321) with STARTTLS (RFC 3207) required: nothing is said in clear but to this machine itself. */

export interface SmtpSettings {
  host: string;
  port: number;
  user?: string;
  /** Asked for at each message: it may be replaced while the server runs. */
  password?: () => string;
  /** Sender, as in `From`. */
  from: string;
  /** On this machine itself the line needs no encryption. */
  isLoopback: boolean;
  /** Certificates trusted beside the system's (PEM). */
  ca?: readonly string[];
}

/** A message without medical content. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
  html?: string;
  /** Stable over retries. */
  messageId: string;
}

export interface SmtpMailer {
  /** @returns what the mail server answered to the message it took; rejects with an error whose `code` or `responseCode` says why not. */
  send(mail: Mail): Promise<string>;
  close(): void;
}

/** Port of SMTP inside TLS from the first byte (RFC 8314). */
const submissionsPort = 465;
const timeoutMs = 20_000;

export async function createMailer(settings: SmtpSettings): Promise<SmtpMailer> {
  const { host, port, user, password, from, isLoopback, ca } = settings;
  // Loaded by who sends mail only: a server without it starts sooner and holds less.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: port === submissionsPort,
    requireTLS: !isLoopback,
    tls: { minVersion: 'TLSv1.2', ...(ca ? { ca: [...ca] } : {}) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html, messageId }) {
      // One address, whatever characters it has: no header can be made of it.
      const auth = user === undefined ? {} : { auth: { user, pass: password?.() ?? '' } };
      const message = { from, to: { name: '', address: to }, subject, text, messageId, ...(html ? { html } : {}) };
      // Asks holiday repliers and mailing lists for silence (RFC 3834).
      const headers = { 'Auto-Submitted': 'auto-generated' };
      const { response } = await transport.sendMail({ ...message, headers, ...auth });
      return response;
    },
    close: () => transport.close(),
  };
}
