/** A subscription tells its owner of nothing they do not see: no notification, no number, no count. */
import type { Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { establishmentSystem, type RowScope } from '../../../src/fhir/index.ts';
import { actors, asked, openReceiver, openRig, type Receiver, type Rig } from '../../fhir/subscriptions/support.ts';

let rig: Rig;
let hook: Receiver;
const rows: RowScope = { keys: [{ parameter: '_security', value: `${establishmentSystem}|north` }], whole: [] };

beforeAll(async () => {
  hook = await openReceiver();
  rig = await openRig({
    owners: {
      identityOf: async (_tenant, account) =>
        actors[account] && { actor: actors[account], ...(account === 'ris' ? { rows } : {}) },
    },
  });
});
afterAll(async () => {
  await rig.close();
  await hook.close();
});

const writePatient = (establishment: string) =>
  rig.store.transaction({ ...rig.as('noa'), establishments: [establishment] }, (tx) =>
    tx.create<Patient>({ resourceType: 'Patient' }),
  );

it('is neither sent nor counted', async () => {
  const id = await rig.activate(asked('Patient?', { endpoint: hook.url, payload: 'application/fhir+json' }));
  for (const establishment of ['south', 'north', 'south']) await writePatient(establishment);
  const last = await writePatient('north');
  await rig.until(() => hook.received.some(({ path }) => path.includes(last.id)));
  expect(hook.received).toHaveLength(2);
  const { rows: kept } = await rig.database.query<{ number: string }>(
    'aa',
    'SELECT number FROM subscription_event WHERE tenant = $1 AND subscription = $2 ORDER BY number',
    ['aa', id],
  );
  expect(kept.map(({ number }) => Number(number))).toEqual([1, 2]);
  const feed = await rig.database.query('aa', 'SELECT last_event FROM subscription_feed WHERE id = $1', [id]);
  expect(feed.rows).toEqual([{ last_event: '2' }]);
});
