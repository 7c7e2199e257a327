/** How HTTP is received: over TLS where there are certificates, within limits of size and time, and without a word about patients in the log. */
import { randomUUID } from 'node:crypto';
import fastify, { LogController } from 'fastify';
import { answerUnreadable, answerUnroutable, type ServerTls } from './access/index.ts';
import { maximumAddressPart } from './adapters/dicomweb/index.ts';
import type { Config } from './config/index.ts';
import { loggable } from './fhir/index.ts';

/** A study may be gigabytes, but no JSON of this protocol is: what one request may make us hold in memory. */
const bodyLimitBytes = 32 * 1024 * 1024;
/** A whole request, a study over a thin line included; each protocol ends idle uploads much sooner. */
const requestTimeoutMs = 3_600_000;
/** Its headers are there much sooner, and so is a handshake. */
const headersTimeoutMs = 20_000;
/** An address of 8 kB and a token; how often slow headers are looked for. */
const reception = { maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 5_000, headersTimeout: headersTimeoutMs };

/**
 * The application without its routes; it does not listen yet.
 * @param secure browsers reach it over TLS, ours or that of a proxy in front.
 */
export function httpServer(
  config: Pick<Config, 'clients' | 'logLevel' | 'trustProxy'>,
  { tls, secure }: { tls: ServerTls | undefined; secure: boolean },
) {
  // Nobody has to show one; what it is good for is decided by who asks (src/access/client-certificates).
  const askCertificate = config.clients.certificates ? { requestCert: true, rejectUnauthorized: false } : {};
  return fastify({
    logger: {
      level: config.logLevel,
      stream: process.stderr,
      redact: ['req.headers.authorization', 'req.headers.cookie'],
      // Errors of the database quote rows, addresses name patients: where something failed is logged, not what about.
      serializers: {
        err: (error: unknown) => ({ message: '', stack: '', ...loggable(error) }),
        req: ({ method }) => ({ method }),
      },
    },
    // A line per request would name patients' resources; the audit trail is where accesses are told.
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: 'x-request-id',
    genReqId: () => randomUUID(),
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    ...(config.trustProxy ? { trustProxy: config.trustProxy } : {}),
    routerOptions: { maxParamLength: maximumAddressPart },
    clientErrorHandler: answerUnreadable(secure),
    frameworkErrors: answerUnroutable(secure),
    ...(tls
      ? { https: { ...tls.options(), ...askCertificate, ...reception, handshakeTimeout: headersTimeoutMs } }
      : { http: reception }),
  });
}
