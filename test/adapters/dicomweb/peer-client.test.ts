import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallCt } from '../../support/synthetic-ct.ts';
import { firstOf, type Item, startTestService, type TestService } from './server.ts';

/** What the test uses of the npm package `dicomweb-client`. */
interface PeerClient {
  storeInstances(options: { datasets: ArrayBuffer[]; studyInstanceUID?: string }): Promise<unknown>;
  searchForStudies(options?: { queryParams: Record<string, string> }): Promise<Item[]>;
  searchForSeries(options: object): Promise<Item[]>;
  searchForInstances(options: object): Promise<Item[]>;
  retrieveStudyMetadata(options: object): Promise<Item[]>;
  retrieveSeriesMetadata(options: object): Promise<Item[]>;
  retrieveInstanceMetadata(options: object): Promise<Item>;
  retrieveStudy(options: object): Promise<ArrayBuffer[]>;
  retrieveSeries(options: object): Promise<ArrayBuffer[]>;
  retrieveInstance(options: object): Promise<ArrayBuffer>;
  retrieveInstanceFrames(options: object): Promise<ArrayBuffer[]>;
  retrieveInstanceRendered(options: object): Promise<ArrayBuffer[]>;
  retrieveInstanceFramesRendered(options: object): Promise<ArrayBuffer[]>;
  retrieveBulkData(options: object): Promise<ArrayBuffer[]>;
}

let service: TestService;
let client: PeerClient;
const studyInstanceUID = '2.25.4001';
const files = smallCt({ studyUid: studyInstanceUID });
const exact = (file: Buffer) => file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;

beforeAll(async () => {
  service = await startTestService();
  const require = createRequire(import.meta.url);
  Object.assign(globalThis, { XMLHttpRequest: require('xhr2'), window: globalThis });
  const { api } = require('dicomweb-client') as { api: { DICOMwebClient: new (options: object) => PeerClient } };
  client = new api.DICOMwebClient({ url: service.url, headers: { Authorization: 'Bearer aa' } });
});
afterAll(async () => {
  for (const name of ['XMLHttpRequest', 'window']) Reflect.deleteProperty(globalThis, name);
  await service.close();
});

describe('the npm package dicomweb-client', () => {
  it('stores, searches and retrieves at every level', async () => {
    await client.storeInstances({ datasets: files.map(exact) });
    expect(await client.searchForStudies({ queryParams: { PatientID: 'IPP-1001' } })).toHaveLength(1);
    const [series] = await client.searchForSeries({ studyInstanceUID });
    const seriesInstanceUID = firstOf(series, '0020000E');
    const found = await client.searchForInstances({ studyInstanceUID, seriesInstanceUID });
    expect(found).toHaveLength(3);
    const instance = { studyInstanceUID, seriesInstanceUID, sopInstanceUID: firstOf(found[0], '00080018') };
    expect(await client.retrieveStudyMetadata({ studyInstanceUID })).toHaveLength(3);
    expect(await client.retrieveSeriesMetadata(instance)).toHaveLength(3);
    const metadata = await client.retrieveInstanceMetadata(instance);
    expect(await client.retrieveStudy({ studyInstanceUID })).toHaveLength(3);
    expect(await client.retrieveSeries(instance)).toHaveLength(3);
    const stored = Buffer.from(await client.retrieveInstance(instance));
    expect(stored.equals(files[0] ?? Buffer.alloc(0))).toBe(true);
    const pixels = stored.subarray(stored.length - 8192);
    const [frame] = await client.retrieveInstanceFrames({ ...instance, frameNumbers: [1] });
    expect(Buffer.from(frame ?? new ArrayBuffer(0)).equals(pixels)).toBe(true);
    const mediaTypes = [{ mediaType: 'image/png' }];
    const [rendered] = await client.retrieveInstanceRendered({ ...instance, mediaTypes });
    expect(Buffer.from(rendered ?? new ArrayBuffer(0)).toString('latin1', 1, 4)).toBe('PNG');
    const [frameImage] = await client.retrieveInstanceFramesRendered({ ...instance, frameNumbers: [1], mediaTypes });
    expect(frameImage?.byteLength).toBe(rendered?.byteLength);
    const uri = (Array.isArray(metadata) ? metadata[0] : metadata)?.['7FE00010']?.BulkDataURI;
    const [bulk] = await client.retrieveBulkData({ BulkDataURI: uri });
    expect(Buffer.from(bulk ?? new ArrayBuffer(0)).equals(pixels)).toBe(true);
  });
});
