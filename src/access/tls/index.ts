/** TLS of the servers: which versions and suites, and certificates that are replaced while it runs. */
export { tlsProtocol } from './protocol.ts';
export { openServerTls, type ServerTls } from './server-tls.ts';
