import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorization, decide, exchange, redirectUri, signIn } from '../../access/smart/app.ts';
import { openSmartRig, type SmartRig } from '../../access/smart/support.ts';

let rig: SmartRig;
beforeAll(async () => {
  rig = await openSmartRig();
  await rig.addClient({
    ...{ id: 'viewer', kind: 'public-app', display: 'Visionneuse', redirectUris: [redirectUri] },
    scopes: ['user/*.rs', 'offline_access'],
  });
});
afterAll(() => rig.close());

test('an app that a thief let in goes with the old password, and with "end all the others"', async () => {
  const cookie = await signIn(rig, 'w-apps', 'aa', ['conformance']);
  const letIn = async (session: string) => {
    const { query, verifier } = authorization('viewer', 'user/Patient.rs offline_access');
    const back = await decide(rig, query, session);
    return exchange(rig, 'viewer', { code: back.searchParams.get('code') ?? '', verifier });
  };
  const works = async ({ access_token, refresh_token }: Record<string, unknown>) => {
    const headers = { authorization: `Bearer ${access_token}` };
    const read = await rig.app.inject({ url: '/fhir/Patient', headers });
    const form = { grant_type: 'refresh_token', client_id: 'viewer', refresh_token: String(refresh_token) };
    const refreshed = await rig.post('/oauth2/token', form);
    return [read.statusCode === 200, refreshed.statusCode === 200];
  };
  const inside = { cookie, 'x-passerelle': 'ui' };
  expect(await works(await letIn(cookie))).toEqual([true, true]);

  const before = await letIn(cookie);
  await rig.app.inject({ method: 'DELETE', url: '/oauth2/account/sessions', headers: inside });
  expect(await works(before)).toEqual([false, false]);

  const again = await letIn(cookie);
  const changed = await rig.app.inject({
    ...{ method: 'POST', url: '/oauth2/account/password', headers: inside },
    payload: { current: 'Correct-Horse-7!', password: 'Martinet-noir-58' },
  });
  expect(changed.statusCode).toBe(200);
  expect(await works(again)).toEqual([false, false]);
});
