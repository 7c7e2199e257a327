import { expect, it } from 'vitest';
import { createAuthenticator } from '../../src/access/authenticate.ts';
import type { Identified } from '../../src/access/credentials.ts';

it('a clock put back stretches no belief: a credential that ended is looked up again', async () => {
  let now = Date.parse('2026-03-01T08:00:00Z');
  let identified: Identified | undefined = {
    tenant: 'aa',
    actor: { reference: 'Practitioner/1', display: 'A', account: 'a', kind: 'person', roles: ['radiologist'] },
    credential: 'token:aa:1',
    expiresAt: new Date(now + 86_400_000),
  };
  const { recognise } = createAuthenticator({
    recognisers: [{ name: 'token', ambient: false, read: () => 'secret', identify: async () => identified }],
    clock: { now: () => new Date(now) },
  });
  const request = { headers: {}, ip: '192.0.2.7', id: 'x', method: 'GET', url: '/' } as Parameters<typeof recognise>[0];
  expect(await recognise(request)).toMatchObject({ tenant: 'aa' });
  identified = undefined;
  now += 1_000;
  expect(await recognise(request)).toMatchObject({ tenant: 'aa' });
  now -= 3_600_000;
  await expect(recognise(request)).rejects.toMatchObject({ status: 401 });
});
