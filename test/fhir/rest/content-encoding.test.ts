import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptedEncoding } from '../../../src/fhir/rest/content-encoding.ts';
import { type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  server.store.registerOperation({
    name: 'lines',
    level: 'system',
    affectsState: false,
    run: async () => ({ status: 200, content: { type: 'application/fhir+ndjson', body: '{"a":1}\n'.repeat(1000) } }),
  });
  await server.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => server.close());

const basic = (id: string, text = 'x') => ({ resourceType: 'Basic', id, code: { text } });
const large = basic('large', 'x'.repeat(10_000));

describe('answers', () => {
  const get = (path: string, headers: Record<string, string>) =>
    server.app.inject({ method: 'GET', url: `/fhir/${path}`, headers });

  it('are compressed as the caller takes it, above a size', async () => {
    await put('Basic/large', JSON.stringify(large));
    await put('Basic/small', JSON.stringify(basic('small')));
    const gzipped = await get('Basic/large', { 'accept-encoding': 'gzip' });
    expect(gzipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept, Accept-Encoding' });
    expect(JSON.parse(gunzipSync(gzipped.rawPayload).toString())).toMatchObject(large);
    expect(Number(gzipped.headers['content-length'])).toBeLessThan(1000);
    const xml = await get('Basic/large', { 'accept-encoding': 'gzip, deflate, br', accept: 'application/fhir+xml' });
    expect(xml.headers).toMatchObject({
      'content-encoding': 'br',
      'content-type': 'application/fhir+xml; charset=utf-8',
    });
    expect(brotliDecompressSync(xml.rawPayload).toString()).toContain(`<text value="${large.code.text}"/>`);
    const lines = await get('$lines', { 'accept-encoding': 'gzip', accept: 'application/fhir+ndjson' });
    expect(gunzipSync(lines.rawPayload).toString()).toBe('{"a":1}\n'.repeat(1000));
    for (const plain of [await get('Basic/small', { 'accept-encoding': 'gzip' }), await get('Basic/large', {})])
      expect(plain.headers['content-encoding']).toBeUndefined();
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['gzip, br', 'br'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['*;q=0', undefined],
    ['gzip;q=0', undefined],
    ['gzip;q=x', undefined],
  ])('are in the coding that Accept-Encoding: %s prefers: %s', (header, expected) => {
    expect(acceptedEncoding(header)).toBe(expected);
  });
});

describe('bodies', () => {
  it('are taken in gzip, br and deflate, in any format', async () => {
    for (const [encoding, encode] of [
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['identity', Buffer.from],
    ] as const) {
      const body = encode(JSON.stringify(basic(`by-${encoding}`)));
      expect(await put(`Basic/by-${encoding}`, body, { 'content-encoding': encoding }), encoding).toBe(201);
    }
    const xml = gzipSync(
      '<Basic xmlns="http://hl7.org/fhir"><id value="by-xml"/><code><text value="x"/></code></Basic>',
    );
    expect(await put('Basic/by-xml', xml, { 'content-encoding': 'gzip', 'content-type': 'application/fhir+xml' })).toBe(
      201,
    );
    expect(
      await put('Binary/by-file', gzipSync('%PDF'), { 'content-encoding': 'gzip', 'content-type': 'application/pdf' }),
    ).toBe(201);
    expect((await server.app.inject({ method: 'GET', url: '/fhir/Binary/by-file' })).body).toBe('%PDF');
  });

  it('may not inflate beyond the limit for bodies', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 0x20));
    expect(bomb.length).toBeLessThan(300_000);
    expect(await put('Basic/bomb', bomb, { 'content-encoding': 'gzip' })).toBe(413);
    expect(await put('Basic/fine', JSON.stringify(basic('fine')))).toBe(201);
  });

  it('are refused when they are not what the header says', async () => {
    const whole = gzipSync(JSON.stringify(large));
    expect(await put('Basic/bad', JSON.stringify(large), { 'content-encoding': 'gzip' })).toBe(400);
    expect(await put('Basic/bad', whole.subarray(0, 20), { 'content-encoding': 'gzip' })).toBe(400);
    expect(await put('Basic/bad', whole, { 'content-encoding': 'compress' })).toBe(415);
    expect(await put('Basic/bad', whole, { 'content-encoding': 'gzip, gzip' })).toBe(415);
  });
});

/** Over a socket, as bodies come. */
function put(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<number> {
  const { port } = server.app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, path: `/fhir/${path}`, method: 'PUT', headers: { 'content-type': 'application/fhir+json', ...headers } },
      (response) => {
        response.resume();
        resolve(response.statusCode!);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
