import fastify from 'fastify';
import { expect, test } from 'vitest';
import { contentSecurityPolicy, securityHeaders } from '../../src/access/index.ts';

async function answer(secure: boolean) {
  const app = fastify();
  await app.register(securityHeaders, { secure });
  app.get('/', async (_request, reply) => ({ nonce: reply.cspNonce }));
  const response = await app.inject('/');
  const missing = await app.inject('/nowhere');
  await app.close();
  return { response, missing };
}

test('every answer, errors included, carries the headers; the page is given its nonce', async () => {
  const { response, missing } = await answer(false);
  for (const headers of [response.headers, missing.headers]) {
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['permissions-policy']).toContain('camera=()');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'self'");
    expect(headers['strict-transport-security']).toBeUndefined();
  }
  expect(response.headers['content-security-policy']).toContain(`'nonce-${response.json().nonce}'`);
  expect(missing.headers['content-security-policy']).not.toContain(response.json().nonce);
});

test('over TLS the browser is told to stay on TLS', async () => {
  const { response } = await answer(true);
  expect(response.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
});

test('no script runs inline and none is evaluated, whatever the style option', () => {
  for (const option of ['nonce', 'unsafe-inline'] as const) {
    const scripts = contentSecurityPolicy('n', option)
      .split('; ')
      .find((directive) => directive.startsWith('script-src'));
    expect(scripts).toBe("script-src 'self' 'nonce-n' 'wasm-unsafe-eval'");
  }
  expect(contentSecurityPolicy('n')).toContain("style-src 'self' 'nonce-n'");
});
