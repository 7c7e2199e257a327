import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headOf, readAnchors } from '../../../src/access/audit/chain/anchors.ts';
import type { Fault } from '../../../src/access/audit/chain/prove.ts';
import { createChainWatch } from '../../../src/access/audit/chain/watch.ts';
import { openTrail, type TrailRig } from './trail.ts';

let rig: TrailRig;
beforeAll(async () => {
  rig = await openTrail();
  for (let n = 0; n < 3; n++) {
    await rig.read();
    await rig.seal();
  }
});
afterAll(() => rig.close());

test('a running server tells the heads outside the database, proves the chain, and tells of a break once', async () => {
  const { database, keys, clock } = rig;
  const broken: [string, Fault][] = [];
  const logged: string[] = [];
  const anchors = join(rig.folder, 'watched');
  const watch = createChainWatch({
    ...{ database, keys, anchors },
    tenants: async () => ['aa', 'bb'],
    now: () => clock.now(),
    onBroken: (tenant, fault) => broken.push([tenant, fault]),
    log: {
      info: (said) => logged.push(JSON.stringify(said)),
      error: (said) => logged.push(JSON.stringify(said)),
    },
  });
  await watch.look();
  const head = await headOf(database, 'aa');
  expect(await readAnchors(anchors, 'aa')).toEqual([head]);
  expect(logged).toEqual([JSON.stringify(head)]);

  // Nothing new is told of a chain that did not grow.
  await watch.look();
  expect(await readAnchors(anchors, 'aa')).toHaveLength(1);
  expect(broken).toEqual([]);

  await rig.superuser.query('DELETE FROM audit_seal WHERE number = 3');
  await watch.look();
  await watch.look();
  expect(broken).toEqual([['aa', expect.objectContaining({ kind: 'tail-cut', seal: 3 })]]);
});
