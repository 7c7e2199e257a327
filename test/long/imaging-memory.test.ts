import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticCt } from '../../src/cli/synthetic-ct.ts';
import { multipartType, startTestService, type TestService } from '../adapters/dicomweb/server.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const slices = 400;
const maximumGrowthBytes = 150 * 1024 * 1024;

async function* body(studyUid: string): AsyncGenerator<Buffer> {
  const series = { studyUid, patientId: 'P', patientName: 'A^B', studyDate: new Date('2026-01-15T02:30:00Z'), slices };
  for (const file of syntheticCt(series)) {
    yield Buffer.from('--test-boundary\r\nContent-Type: application/dicom\r\n\r\n');
    yield file;
    yield Buffer.from('\r\n');
  }
  yield Buffer.from('--test-boundary--\r\n');
}

/** Sends one body of about 210 MB; answers the status and the highest resident memory seen meanwhile. */
async function send(studyUid: string): Promise<{ status: number | undefined; peak: number }> {
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 50);
  try {
    const headers = { authorization: 'Bearer aa', 'content-type': multipartType, accept: 'application/dicom+json' };
    const outgoing = request(`${service.url}/studies`, { method: 'POST', headers });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      outgoing.once('error', reject);
      outgoing.once('response', (response) => response.resume().once('end', () => resolve(response.statusCode)));
    });
    await pipeline(Readable.from(body(studyUid), { objectMode: false }), outgoing);
    return { status: await answered, peak };
  } finally {
    clearInterval(watch);
  }
}

describe('memory while images arrive', () => {
  it('does not grow with the body: 200 MB in one request, three times', async () => {
    expect((await send('2.25.7001')).status).toBe(200);
    globalThis.gc?.();
    const before = process.memoryUsage.rss();
    for (const studyUid of ['2.25.7002', '2.25.7003']) {
      const { status, peak } = await send(studyUid);
      expect(status).toBe(200);
      expect(peak - before).toBeLessThan(maximumGrowthBytes);
    }
  });
});
