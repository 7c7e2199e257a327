import fastify from 'fastify';
import { expect, test } from 'vitest';
import { contentSecurityPolicy, securityHeaders } from '../../src/access/index.ts';

async function answer(secure: boolean) {
  const app = fastify();
  await app.register(securityHeaders, { secure });
  app.get('/', async () => ({}));
  const response = await app.inject('/');
  const missing = await app.inject('/nowhere');
  await app.close();
  return { response, missing };
}

test('every answer, errors included, carries the headers', async () => {
  const { response, missing } = await answer(false);
  for (const headers of [response.headers, missing.headers]) {
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['permissions-policy']).toContain('camera=()');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'self'");
    expect(headers['strict-transport-security']).toBeUndefined();
  }
});

test('over TLS the browser is told to stay on TLS', async () => {
  const { response } = await answer(true);
  expect(response.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
});

test('nothing runs or is styled inline, and nothing comes from elsewhere', () => {
  const directives = new Map(
    contentSecurityPolicy
      .split('; ')
      .map((directive) => directive.split(' '))
      .map(([name, ...sources]) => [name, sources]),
  );
  expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
  expect(directives.get('style-src')).toEqual(["'self'"]);
  expect([...directives.values()].flat().filter((source) => /unsafe-(inline|eval)'|https?:|\*/.test(source))).toEqual([
    "'wasm-unsafe-eval'",
  ]);
});
