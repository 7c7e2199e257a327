/**
 * Headers that tell the browser what a page of ours may do (SE-1). The policy allows what the interface needs and nothing inline:
 * WebAssembly is the image decoders' (Cornerstone3D), `data:` images are icons of the component library, `blob:` frames show a PDF.
 */
import type { FastifyInstance } from 'fastify';

const oneYearSeconds = 365 * 24 * 3600;

export interface SecurityHeadersOptions {
  /** Served over TLS: HSTS. */
  secure: boolean;
}

/** The Content-Security-Policy of every answer that has no stricter one of its own. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  'frame-src blob:',
  "object-src 'none'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

/** What a page of ours never needs. */
const permissions = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'serial',
  'usb',
  'xr-spatial-tracking',
];

/** Of every answer, also of those that are given before a request is understood. */
export function securityHeadersOf(secure: boolean): Readonly<Record<string, string>> {
  return {
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    // For browsers without frame-ancestors; the old XSS filter is itself a weakness and is switched off.
    'x-frame-options': 'SAMEORIGIN',
    'x-xss-protection': '0',
    'x-permitted-cross-domain-policies': 'none',
    'referrer-policy': 'no-referrer',
    'permissions-policy': permissions.map((name) => `${name}=()`).join(', '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    // Who serves something that may be kept says so.
    'cache-control': 'no-store',
    ...(secure ? { 'strict-transport-security': `max-age=${oneYearSeconds}; includeSubDomains` } : {}),
  };
}

/** Hooks for every route of the application: register it before the others. */
export async function securityHeaders(app: FastifyInstance, { secure }: SecurityHeadersOptions): Promise<void> {
  const headers = securityHeadersOf(secure);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}
// Fastify keeps a plugin's hooks to itself unless it says otherwise; these are for everybody.
Object.assign(securityHeaders, { [Symbol.for('skip-override')]: true });
