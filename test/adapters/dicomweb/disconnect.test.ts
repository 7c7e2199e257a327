import { readdir, readlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { smallCt } from '../../support/synthetic-ct.ts';
import { call, firstOf, type Item, startTestService, stow, type TestService } from './server.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

/** Files of the archive that this process holds open. */
async function openFiles(): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith(service.room.folder)).length;
}

it.runIf(platform() === 'linux')(
  'leaves no file open when clients leave before, at or after the first byte',
  async () => {
    const studyUid = '2.25.7301';
    await stow(service, smallCt({ studyUid, slices: 3, size: 1024 }));
    const [item] = (await (await call(service, `/studies/${studyUid}/instances`)).json()) as Item[];
    const instance = `/studies/${studyUid}/series/${firstOf(item, '0020000E')}/instances/${firstOf(item, '00080018')}`;
    for (const path of [`/studies/${studyUid}`, instance, `${instance}/frames/1`, `${instance}/bulkdata/7FE00010`]) {
      for (const waitMs of [0, 2, 5, 10, undefined]) {
        const leaving = new AbortController();
        const request = call(service, path, { signal: leaving.signal });
        if (waitMs === undefined) await request;
        else await new Promise((resolve) => setTimeout(resolve, waitMs));
        leaving.abort();
        await request.catch(() => undefined);
      }
      await call(service, path, { method: 'HEAD' });
    }
    await expect.poll(openFiles).toBe(0);
  },
);

it('cuts a study off in the middle when the right to it ends meanwhile: the client has a part and knows it', async () => {
  const studyUid = '2.25.7302';
  await stow(service, smallCt({ studyUid, slices: 24, size: 1024 }));
  const answer = await call(service, `/studies/${studyUid}`);
  const length = Number(answer.headers.get('content-length'));
  const reader = answer.body!.getReader();
  let received = (await reader.read()).value!.length;
  service.ended.add('aa');
  const rest = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) received += part.value.length;
  })();
  await expect(rest).rejects.toThrow();
  expect(received).toBeLessThan(length);
  service.ended.clear();
  const whole = await (await call(service, `/studies/${studyUid}`)).arrayBuffer();
  expect(whole.byteLength).toBe(length);
});
