/** A few bytes that become many, or take long: refused within a time, and the server answers on. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explicitLittleEndian } from '../../../src/imaging/index.ts';
import { testFile } from '../../imaging/dicom-file.ts';
import { openWholeServer, type WholeServer } from './whole-server.ts';

let whole: WholeServer;
let authorization: string;
beforeAll(async () => {
  whole = await openWholeServer();
  authorization = `Bearer ${await whole.token('conformance')}`;
});
afterAll(() => whole.close());
/** Nothing that was refused may leave the server busy. */
afterEach(async () => {
  const start = performance.now();
  expect((await fetch(`${whole.server.httpUrl}/healthz`)).status).toBe(200);
  expect(performance.now() - start).toBeLessThan(2_000);
});

const boundMs = 10_000;
async function post(path: string, body: string | Buffer, headers: Record<string, string>) {
  const start = performance.now();
  const answer = await fetch(`${whole.server.httpUrl}${path}`, {
    method: 'POST',
    headers: { authorization, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const text = await answer.text();
  return { status: answer.status, text, ms: performance.now() - start };
}
const json = { 'content-type': 'application/fhir+json' };
const xml = { 'content-type': 'application/fhir+xml' };
const megabyte = 1024 * 1024;

describe('a compressed body', () => {
  const zeros = Buffer.alloc(64 * megabyte, ' ');
  it.each([
    ['gzip', () => gzipSync(zeros)],
    ['deflate', () => deflateSync(zeros)],
    ['br', () => brotliCompressSync(zeros)],
  ])('that inflates a thousandfold (%s) is cut off at the size of a body', async (coding, bomb) => {
    const { status, ms } = await post('/fhir/Patient', bomb(), { ...json, 'content-encoding': coding });
    expect(status).toBe(413);
    expect(ms).toBeLessThan(boundMs);
  });

  it('inside another, or in an unknown coding, is not taken', async () => {
    const twice = gzipSync(gzipSync(zeros));
    expect((await post('/fhir/Patient', twice, { ...json, 'content-encoding': 'gzip, gzip' })).status).toBe(415);
    expect((await post('/fhir/Patient', 'x', { ...json, 'content-encoding': 'zstd' })).status).toBe(415);
    expect(
      (await post('/dicomweb/studies', twice, { 'content-type': 'application/dicom', 'content-encoding': 'gzip' }))
        .status,
    ).toBe(415);
  });
});

describe('JSON', () => {
  it.each([
    [
      'deeper than a resource',
      `{"resourceType":"Patient","extension":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      [400],
    ],
    ['of millions of objects', `{"resourceType":"Bundle","entry":[${'{},'.repeat(3_000_000)}{}]}`, [413]],
    [
      'of one endless number',
      `{"resourceType":"Observation","valueDecimal":${'9'.repeat(2_000_000)}}`,
      [400, 413, 422],
    ],
    [
      'with a prototype of its own',
      '{"resourceType":"Patient","__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}',
      [400, 422],
    ],
  ])('%s is refused in time', async (_name, body, statuses) => {
    const { status, ms } = await post('/fhir/Patient', body, json);
    expect(statuses).toContain(status);
    expect(ms).toBeLessThan(boundMs);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });
});

describe('XML', () => {
  const laughs = [
    '<!DOCTYPE x [<!ENTITY a "ha">',
    ...'bcdefghij'.split('').map((name, index) => `<!ENTITY ${name} "${`&${'abcdefghi'[index]};`.repeat(10)}">`),
    ']>',
  ].join('');
  it.each([
    ['with entities that multiply', `${laughs}<Patient xmlns="http://hl7.org/fhir"><id value="&j;"/></Patient>`],
    [
      'with an entity of a file',
      '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&a;"/></Patient>',
    ],
    ['with an outer DTD', '<!DOCTYPE Patient SYSTEM "http://127.0.0.1:9/x.dtd"><Patient xmlns="http://hl7.org/fhir"/>'],
    ['deeper than a resource', `<Patient xmlns="http://hl7.org/fhir">${'<extension url="x">'.repeat(50_000)}`],
    [
      'of countless attributes',
      `<Patient xmlns="http://hl7.org/fhir" ${Array.from({ length: 100_000 }, (_, index) => `a${index}="1"`).join(' ')}/>`,
    ],
    [
      'of countless namespaces',
      `<Patient xmlns="http://hl7.org/fhir" ${Array.from({ length: 100_000 }, (_, index) => `xmlns:a${index}="u:${index}"`).join(' ')}><id value="!"/></Patient>`,
    ],
    ['of one endless comment', `<Patient xmlns="http://hl7.org/fhir"><!-- ${'- '.repeat(2_000_000)}`],
  ])('%s is refused in time, and nothing is read for it', async (_name, body) => {
    const { status, text, ms } = await post('/fhir/Patient', body, xml);
    expect([400, 413, 422]).toContain(status);
    expect(text).not.toContain('root:');
    expect(ms).toBeLessThan(boundMs);
  });
});

describe('DICOM', () => {
  const multipart = 'multipart/related; type="application/dicom"; boundary=x';
  it('a deflated data set that inflates beyond its bound is refused, the rest of the request is not', async () => {
    const deflated = '1.2.840.10008.1.2.1.99';
    const head = testFile({ transferSyntax: deflated });
    const plain = testFile({ transferSyntax: explicitLittleEndian });
    // File Meta Information as it is, then the data set of the plain one with a gigantic value behind it.
    const start = head.indexOf(Buffer.from(deflated)) + deflated.length;
    const meta = head.subarray(0, start + (start % 2));
    const bomb = Buffer.concat([
      meta,
      deflateRawSync(Buffer.concat([plain.subarray(meta.length), Buffer.alloc(128 * megabyte)])),
    ]);
    expect(bomb.length).toBeLessThan(megabyte);
    const good = testFile({ sopUid: '2.25.777' });
    const part = (bytes: Buffer) => [
      Buffer.from('--x\r\nContent-Type: application/dicom\r\n\r\n'),
      bytes,
      Buffer.from('\r\n'),
    ];
    const body = Buffer.concat([...part(bomb), ...part(good), Buffer.from('--x--')]);
    const { status, text, ms } = await post('/dicomweb/studies', body, {
      'content-type': multipart,
      accept: 'application/dicom+json',
    });
    expect(status).toBe(202);
    expect(text).toContain('64 MiB');
    expect(text).toContain('2.25.777');
    expect(ms).toBeLessThan(2 * boundMs);
  });

  it('a request of countless empty parts ends with a refusal', async () => {
    const body = `${'--x\r\n\r\n\r\n'.repeat(50_000)}--x--`;
    const { status, ms } = await post('/dicomweb/studies', body, {
      'content-type': multipart,
      accept: 'application/dicom+json',
    });
    expect([400, 413]).toContain(status);
    expect(ms).toBeLessThan(60_000);
  }, 90_000);
});
