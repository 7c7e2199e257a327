/** Jobs of several tenants on one node, and files of jobs that never came to be. */
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobFolder } from '../../../src/fhir/bulk/folders.ts';
import { createWorker } from '../../../src/fhir/bulk/worker.ts';
import { type BulkServer, bulkServer, json, respondAsync } from './server.ts';

let server: BulkServer;
beforeAll(async () => {
  server = await bulkServer();
});
afterAll(() => server.close());

const ask = async (tenant: string) => {
  const headers = { ...json, ...respondAsync, authorization: `Bearer ${tenant} alice` };
  const answer = await server.request({ url: '/fhir/$export?_type=Patient', headers });
  expect(answer.statusCode).toBe(202);
  return String(answer.headers['content-location']).split('/').at(-1)!;
};

/** A node whose jobs last until they are told to end. */
function slowNode() {
  const begun: { tenant: string; id: string; end(): void }[] = [];
  const worker = createWorker({
    database: server.database,
    clock: { now: () => new Date() },
    folders: [],
    owners: { identityOf: async () => undefined },
    guards: { authorize: () => undefined },
    sweepEveryMs: 5,
    run: ({ tenant, id }) =>
      new Promise((resolve) => {
        const result = { transactionTime: '2026-01-01T00:00:00Z', output: [], deleted: [], error: [], size: 0 };
        begun.push({ tenant, id, end: () => resolve(result) });
      }),
  });
  return { begun, worker };
}

it('a tenant with many long jobs leaves a place to others, and tenants take turns', async () => {
  const first = [await ask('aa'), await ask('aa'), await ask('aa'), await ask('aa')];
  const { begun, worker } = slowNode();
  worker.start();
  await expect.poll(() => begun.length).toBe(1);
  // Asked for while the other tenant's work is under way.
  const second = [await ask('bb'), await ask('bb')];
  await expect.poll(() => begun.map(({ id }) => id)).toEqual([first[0], second[0]]);
  const third = await ask('platform');
  begun[0]!.end();
  // Whose turn it is, not whose name comes first.
  await expect.poll(() => begun.map(({ id }) => id)).toEqual([first[0], second[0], third]);
  begun[1]!.end();
  await expect.poll(() => begun.length).toBe(4);
  expect(begun[3]!.id).toBe(first[1]);
  begun[2]!.end();
  await expect.poll(() => begun.length).toBe(5);
  expect(begun[4]!.id).toBe(second[1]);
  begun[3]!.end();
  begun[4]!.end();
  for (const index of [5, 6]) {
    await expect.poll(() => begun.length).toBe(index + 1);
    begun[index]!.end();
  }
  await worker.stop();
  expect(begun.map(({ id }) => id)).toEqual([first[0], second[0], third, first[1], second[1], first[2], first[3]]);
});

it('files whose job was never kept, as a crash leaves them, are swept; those of a job, or still being received, stay', async () => {
  const root = join(server.folder, 'imports');
  const long = new Date(Date.now() - 3 * 3_600_000);
  const input = async (id: string, age: Date) => {
    const folder = jobFolder(root, { tenant: 'aa', id });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'input.ndjson'), 'sealed');
    await utimes(join(folder, 'input.ndjson'), age, age);
    await utimes(folder, long, long);
  };
  const kept = await ask('aa');
  await input('11111111-1111-4111-8111-111111111111', long);
  await input('22222222-2222-4222-8222-222222222222', new Date());
  await input(kept, long);
  await server.secondNode().worker.sweep();
  expect(await readdir(join(root, 'aa'))).toEqual(['22222222-2222-4222-8222-222222222222', kept].sort());
});
