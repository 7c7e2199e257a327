/**
 * Headers that tell the browser what a page of ours may do (SE-1). The policy allows what the interface needs and says why:
 * WebAssembly and blob workers are the image decoders' (Cornerstone3D); style attributes are the component library's (Mantine), and
 * its one `<style>` element carries the nonce of the answer.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyReply {
    /** Nonce of this answer's Content-Security-Policy, for the page's `<style>` and `<script>` elements. */
    cspNonce: string;
  }
}

const oneYearSeconds = 365 * 24 * 3600;

export interface SecurityHeadersOptions {
  /** Served over TLS: HSTS. */
  secure: boolean;
  /** `unsafe-inline` where a page cannot be given the nonce: `<style>` elements only, never scripts. */
  styleElements?: 'nonce' | 'unsafe-inline';
}

/** The Content-Security-Policy of the user interface. */
export function contentSecurityPolicy(nonce: string, styleElements: 'nonce' | 'unsafe-inline' = 'nonce'): string {
  const styles = styleElements === 'nonce' ? `'nonce-${nonce}'` : "'unsafe-inline'";
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'`,
    "worker-src 'self' blob:",
    `style-src 'self' ${styles}`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self' blob: data:",
    "frame-src 'self' blob:",
    "object-src 'none'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ].join('; ');
}

/** Hooks for every route of the application: register it before the others. */
export async function securityHeaders(app: FastifyInstance, options: SecurityHeadersOptions): Promise<void> {
  const { secure, styleElements = 'nonce' } = options;
  app.decorateReply('cspNonce', '');
  app.addHook('onRequest', async (_request, reply) => {
    reply.cspNonce = randomBytes(16).toString('base64url');
    reply.headers({
      'content-security-policy': contentSecurityPolicy(reply.cspNonce, styleElements),
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
