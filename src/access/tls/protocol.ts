/**
 * What TLS means here (SE-1; ANSSI-PA-035, RFC 9325): 1.2 and 1.3; in 1.2 only suites with an ephemeral key and authenticated
 * encryption, our order before the client's, no renegotiation.
 */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

const suites13 = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];
const suites12 = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];

/** For every server of ours that speaks TLS; `honorCipherOrder` counts at its making, the rest at each change of certificate too. */
export const tlsProtocol = {
  minVersion: 'TLSv1.2',
  ciphers: [...suites13, ...suites12].join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} satisfies SecureContextOptions;
