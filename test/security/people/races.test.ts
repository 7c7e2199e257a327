/** A sign-in under way while the password is changed opens nothing that outlives the change. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findAccount } from '../../../src/access/accounts.ts';
import { setPassword } from '../../../src/access/own-account/password-change.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import { openScene, type Scene } from './support.ts';

let scene: Scene;
const origin = { network: '192.0.2.9', requestId: 'r' };
beforeAll(async () => {
  scene = await openScene();
  for (const login of ['y-race', 'y-disabled'])
    await scene.access.ensureAccount({
      ...{ tenant: 'aa', login, kind: 'person', reference: `Practitioner/${login}`, display: 'x' },
      ...{ roles: ['radiologist'], password: 'Correct-Horse-7!' },
    });
  await scene.withTotp('y-half');
});
afterAll(() => scene.close());

const change = async (login: string) =>
  setPassword(
    scene.access.accountRooms,
    { context: systemContext('aa', 'system:test', scene.clock), account: (await findAccount(scene.database, login))! },
    { password: 'Martinet-noir-58', temporary: false },
  );
const left = async (login: string) =>
  (
    await scene.database.query(
      'aa',
      `SELECT FROM credential WHERE tenant = 'aa' AND login = $1
       UNION ALL SELECT FROM pending_sign_in WHERE tenant = 'aa' AND login = $1`,
      [login],
    )
  ).rowCount;

test.each(['y-race', 'y-half'])(
  'the old password of %s, verified before, opens neither a session nor a step',
  async (login) => {
    const verified = (await findAccount(scene.database, login))!;
    await change(login);
    const late = await scene.access.completeSignIn({ account: verified, proofs: ['password'], origin });
    expect(late).toEqual({ status: 'refused' });
    expect(await left(login)).toBe(0);
    const current = (await findAccount(scene.database, login))!;
    const result = await scene.access.completeSignIn({ account: current, proofs: ['password'], origin });
    expect(['signed-in', 'pending']).toContain(result.status);
  },
);

test('an account shut off meanwhile opens nothing', async () => {
  const verified = (await findAccount(scene.database, 'y-disabled'))!;
  await scene.access.setDisabled('y-disabled', true);
  const late = await scene.access.completeSignIn({ account: verified, proofs: ['password'], origin });
  expect(late).toEqual({ status: 'refused' });
  expect(await left('y-disabled')).toBe(0);
});
