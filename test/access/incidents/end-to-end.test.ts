import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { incidentKindSystem, incidentOf } from '../../../src/access/incidents/index.ts';
import { announce, closeWindow } from '../../../src/access/maintenance/index.ts';
import { openRig, type Rig } from '../support.ts';

const password = 'Vert-Orage-2026-nuit';

describe('what goes on at the door', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig();
    const person = { tenant: 'aa', kind: 'person', password, demonstration: true } as const;
    await rig.access.ensureAccount({
      ...person,
      login: 'noa',
      reference: 'Practitioner/noa',
      display: 'NOA',
      roles: ['radiologist'],
    });
    await rig.access.ensureAccount({
      ...person,
      login: 'leo',
      reference: 'Practitioner/leo',
      display: 'LEO',
      roles: ['support'],
    });
  });
  afterAll(() => rig.close());

  const signIn = (username: string, wrong = false) =>
    rig.app.inject({
      method: 'POST',
      url: '/oauth2/login',
      payload: { username, password: wrong ? 'autre' : password },
    });
  const whoAmI = (cookie: string) => rig.app.inject({ url: '/oauth2/userinfo', headers: { cookie } });

  it('makes an incident of a series of wrong passwords, with the account and no password in it', async () => {
    for (let n = 0; n < 10; n++) {
      await signIn('noa', true);
      rig.clock.advance(60_000);
    }
    await rig.access.close();
    const found = await rig.store.search('aa', 'Basic', `code=${incidentKindSystem}|brute-force`);
    expect(found.map((resource) => incidentOf(resource))).toEqual([
      expect.objectContaining({ account: 'noa', occurrences: 10, status: 'open' }),
    ]);
    expect(JSON.stringify(found)).not.toContain('autre');
  });

  it('knows an account of support within an announced window only, and no longer', async () => {
    const { database, clock } = rig;
    const use = async () => {
      const answer = await signIn('leo');
      const cookie = [answer.headers['set-cookie']].flat().join('; ').split(';')[0]!;
      return { cookie, status: (await whoAmI(cookie)).statusCode };
    };
    expect((await use()).status).toBe(401);
    const startsAt = new Date(clock.now().getTime() + 60_000);
    const id = await announce(
      database,
      {
        tenant: 'aa',
        login: 'leo',
        person: 'LEO',
        company: 'Éditeur',
        reason: 'panne',
        startsAt,
        endsAt: new Date(startsAt.getTime() + 600_000),
        announcedBy: 'chef',
      },
      clock.now(),
    );
    clock.advance(61_000);
    const inside = await use();
    expect(inside.status).toBe(200);
    clock.advance(600_000);
    expect((await whoAmI(inside.cookie)).statusCode).toBe(401);
    await closeWindow(database, 'aa', id, { report: 'fait', closedBy: 'chef', at: clock.now() });
  });

  it('notes on which days an account was used', async () => {
    const answer = await signIn('noa');
    await whoAmI([answer.headers['set-cookie']].flat().join('; ').split(';')[0]!);
    const { rows } = await rig.database.query<{ day: string }>(
      'aa',
      "SELECT day::text FROM account_use WHERE login = 'noa'",
    );
    expect(rows).toEqual([{ day: '2026-03-01' }]);
  });
});
