import { afterAll, beforeAll, expect, test } from 'vitest';
import { noa, openRig, type Rig } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ checkReferences: true });
});
afterAll(() => rig.close());

test('where references are checked, the trail still tells of what does not exist', async () => {
  await rig.access.auditRead(rig.context(noa, 'read'), {
    resources: [],
    target: { type: 'Patient', id: 'nobody' },
    outcome: 'failed',
  });
  await rig.store.transaction(rig.context(noa, 'create'), (tx) =>
    tx.create({ resourceType: 'Basic', code: { text: 'x' } }),
  );
  expect((await rig.trail('entity=Patient/nobody')).map((event) => event.outcome)).toEqual(['4']);
  expect(await rig.trail('subtype=create')).toHaveLength(1);
});
