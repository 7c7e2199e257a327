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

/** The Content-Security-Policy of every answer. */
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

/** Hooks for every route of the application: register it before the others. */
export async function securityHeaders(app: FastifyInstance, { secure }: SecurityHeadersOptions): Promise<void> {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      // For browsers without frame-ancestors; the old XSS filter is itself a weakness and is switched off.
      'x-frame-options': 'SAMEORIGIN',
      'x-xss-protection': '0',
      'referrer-policy': 'no-referrer',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      ...(secure ? { 'strict-transport-security': `max-age=${oneYearSeconds}; includeSubDomains` } : {}),
    });
  });
}
// Fastify keeps a plugin's hooks to itself unless it says otherwise; these are for everybody.
Object.assign(securityHeaders, { [Symbol.for('skip-override')]: true });
