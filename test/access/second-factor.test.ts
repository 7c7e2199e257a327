import { generateSync } from 'otplib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resealAccounts } from '../../src/access/second-factor/reseal.ts';
import { beginTotp, confirmTotp, verifyTotp } from '../../src/access/second-factor/totp.ts';
import { accept } from '../../src/access/tenants/index.ts';
import { inspectResource } from '../../src/fhir/validation/index.ts';
import { createVault, newKeyLine, openKeyRing } from '../../src/vault/index.ts';
import { openBrowserSession } from './browser-session.ts';
import { noa, openRig, type Rig } from './support.ts';

const password = 'Hirondelle-47';
const adminPassword = 'Hirondelle-47-Sud';
let rig: Rig;
let nextAddress = 1;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const browser = () => openBrowserSession(rig.app, `192.0.2.${nextAddress++}`);
const code = (secret: string, shiftSeconds = 0) =>
  generateSync({ secret, epoch: Math.floor(rig.clock.now().getTime() / 1000) + shiftSeconds });

async function person(login: string, roles = ['radiologist']) {
  await rig.access.ensureAccount({
    ...{ tenant: 'aa', kind: 'person' as const, reference: `Practitioner/${login}`, display: 'Dr ZOE TEST' },
    ...{ login, roles, password: roles.includes('administrator') ? adminPassword : password },
  });
}

/** A radiologist who set an authenticator application up. */
async function personWithTotp(login: string) {
  await person(login);
  const own = browser();
  await own.login(login, password);
  const { secret } = (await own.call('POST', '/oauth2/account/totp')).json();
  const confirmed = await own.call('POST', '/oauth2/account/totp/confirm', { code: code(secret) });
  rig.clock.advance(30_000);
  return { secret: secret as string, recoveryCodes: confirmed.json().recoveryCodes as string[], own };
}

test('an authenticator application counts once a code of it was given, and is asked for at the next sign-in', async () => {
  const { secret, recoveryCodes } = await personWithTotp('f-totp');
  expect(recoveryCodes).toHaveLength(10);
  const other = browser();
  const begun = await other.login('f-totp', password);
  expect([begun.statusCode, begun.json()]).toEqual([202, { step: 'second-factor' }]);
  expect(other.session()).toBeUndefined();
  expect((await other.call('GET', '/oauth2/sign-in')).json()).toEqual({
    step: 'second-factor',
    display: 'Dr ZOE TEST',
    means: ['totp', 'recovery-code'],
  });
  const done = await other.call('POST', '/oauth2/sign-in/totp', { code: code(secret) });
  expect([done.statusCode, done.json().account]).toEqual([200, 'f-totp']);
  expect((await other.call('GET', '/oauth2/userinfo')).statusCode).toBe(200);
  expect((await other.call('GET', '/oauth2/sign-in')).json()).toEqual({ step: null });
});

test('an enrolment that was never confirmed asks nobody for anything', async () => {
  await person('f-half');
  const own = browser();
  await own.login('f-half', password);
  await own.call('POST', '/oauth2/account/totp');
  expect((await own.call('POST', '/oauth2/account/totp/confirm', { code: '000000' })).statusCode).toBe(422);
  expect((await browser().login('f-half', password)).statusCode).toBe(200);
});

test('the code of the step before and of the one after are right, those further away are not', async () => {
  const { secret } = await personWithTotp('f-drift');
  for (const [shift, status] of [
    [-60, 401],
    [-30, 200],
    [60, 401],
    [30, 200],
  ] as const) {
    const other = browser();
    rig.clock.advance(120_000);
    await other.login('f-drift', password);
    const answer = await other.call('POST', '/oauth2/sign-in/totp', { code: code(secret, shift) });
    expect(answer.statusCode, `${shift} s`).toBe(status);
  }
});

test('the secret of an application is sealed in the database, recovery codes are hashed, and neither is shown again', async () => {
  const { secret, recoveryCodes, own } = await personWithTotp('f-sealed');
  const { rows } = await rig.database.query<{ text: string }>(
    'aa',
    `SELECT totp_factor::text AS text FROM totp_factor UNION ALL SELECT recovery_code::text FROM recovery_code`,
  );
  const text = rows.map((row) => row.text).join('\n');
  expect(text).not.toContain(secret);
  for (const one of recoveryCodes) expect(text).not.toContain(one.replaceAll('-', ''));
  const shown = (await own.call('GET', '/oauth2/account')).body;
  expect(shown).not.toContain(secret);
  expect(JSON.parse(shown)).toMatchObject({ recoveryCodes: 10, totp: { createdAt: expect.any(String) } });
});

test('the QR code is an image made here and holds the address an application reads', async () => {
  await person('f-qr');
  const own = browser();
  await own.login('f-qr', password);
  const { qrCode, uri, secret } = (await own.call('POST', '/oauth2/account/totp')).json();
  expect(uri).toBe(`otpauth://totp/Passerelle:f-qr?secret=${secret}&issuer=Passerelle`);
  const svg = Buffer.from(qrCode.replace('data:image/svg+xml;base64,', ''), 'base64').toString();
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg).not.toMatch(/script|href/);
});

test('a recovery code opens once, in any case and grouping', async () => {
  const { recoveryCodes } = await personWithTotp('f-paper');
  // Six groups of four out of 32 characters: 120 bits, enough for a plain hash.
  for (const code of recoveryCodes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){5}$/);
  const typed = ` ${recoveryCodes[0]!.toLowerCase().replaceAll('-', ' ')} `;
  for (const status of [200, 401]) {
    const other = browser();
    await other.login('f-paper', password);
    expect((await other.call('POST', '/oauth2/sign-in/recovery-code', { code: typed })).statusCode).toBe(status);
  }
});

test('an administrator without a second factor sets one up before anything else, and is in', async () => {
  await person('f-admin', ['administrator']);
  const own = browser();
  const begun = await own.login('f-admin', adminPassword);
  expect([begun.statusCode, begun.json()]).toEqual([202, { step: 'enrol' }]);
  expect((await own.call('GET', '/oauth2/userinfo')).statusCode).toBe(401);
  const { secret } = (await own.call('POST', '/oauth2/sign-in/enrol/totp')).json();
  const done = await own.call('POST', '/oauth2/sign-in/enrol/totp/confirm', { code: code(secret) });
  expect(done.json()).toMatchObject({ account: 'f-admin', recoveryCodes: expect.any(Array) });
  expect((await own.call('GET', '/oauth2/userinfo')).statusCode).toBe(200);
  const refused = await own.call('DELETE', '/oauth2/account/totp');
  expect([refused.statusCode, refused.json().message]).toEqual([
    403,
    'Votre rôle exige un second facteur : ajoutez-en un autre avant de retirer celui-ci.',
  ]);
});

test('who need not have a second factor may take it off again', async () => {
  const { own, recoveryCodes } = await personWithTotp('f-off');
  expect((await own.call('DELETE', '/oauth2/account/totp')).statusCode).toBe(200);
  const { secret } = (await own.call('POST', '/oauth2/account/totp')).json();
  const again = await own.call('POST', '/oauth2/account/totp/confirm', { code: code(secret) });
  expect(again.json().recoveryCodes).toHaveLength(10);
  expect(again.json().recoveryCodes).not.toContain(recoveryCodes[0]);
  await own.call('DELETE', '/oauth2/account/totp');
  expect((await browser().login('f-off', password)).statusCode).toBe(200);
});

test('a demonstration account is asked for nothing, and what somebody set up on it goes at the next start', async () => {
  const account = {
    ...{ tenant: 'aa', kind: 'person' as const, reference: 'Practitioner/demo', display: 'LEO TEST' },
    ...{ login: 'f-demo', roles: ['administrator'], password: 'une-phrase-de-demo', demonstration: true },
  };
  await rig.access.ensureAccount(account);
  rig.clock.advance(100 * 24 * 3_600_000);
  const own = browser();
  expect((await own.login('f-demo', account.password)).statusCode).toBe(200);
  const { secret } = (await own.call('POST', '/oauth2/account/totp')).json();
  await own.call('POST', '/oauth2/account/totp/confirm', { code: code(secret) });
  expect((await browser().login('f-demo', account.password)).statusCode).toBe(202);
  await rig.access.ensureAccount(account);
  expect((await browser().login('f-demo', account.password)).statusCode).toBe(200);
});

test('a setting makes the second factor a duty of other roles', async () => {
  const strict = await openRig({ secondFactorRoles: ['coordinator'] });
  for (const [login, role, status] of [
    ['s-coord', 'coordinator', 202],
    ['s-rad', 'radiologist', 200],
  ] as const) {
    await strict.access.ensureAccount({
      ...{ tenant: 'aa', kind: 'person', reference: `Practitioner/${login}`, display: 'LEO TEST' },
      ...{ login, roles: [role], password },
    });
    expect((await openBrowserSession(strict.app, '192.0.2.9').login(login, password)).statusCode).toBe(status);
  }
  await strict.close();
});

test('roles in a tenant that accepted somebody count like those at home', async () => {
  await person('f-roam');
  const keeper = { ...noa, roles: ['administrator'] };
  await rig.store.transaction(rig.context(keeper, 'create'), (tx) =>
    tx.create({ resourceType: 'Practitioner', id: 'f-roam', name: [{ family: 'TEST', given: ['Zoé'] }] }),
  );
  const there = { ...rig.context(noa, 'create'), tenant: 'bb' };
  await rig.store.transaction(there, (tx) => tx.create({ resourceType: 'Organization', id: 'ch-b', name: 'CH B' }));
  expect((await browser().login('f-roam', password)).statusCode).toBe(200);
  const request = { login: 'f-roam', roles: ['support'], establishments: ['ch-b'] };
  await accept(rig, there, { ...request, until: new Date(rig.clock.now().getTime() + 60_000) }, rig.clock.now());
  expect((await browser().login('f-roam', password)).json()).toEqual({ step: 'enrol' });
  rig.clock.advance(60_000);
  expect((await browser().login('f-roam', password)).statusCode).toBe(200);
});

test('setting a factor up wants a proof of the last ten minutes, given again by the password', async () => {
  await person('f-stale');
  const own = browser();
  await own.login('f-stale', password);
  rig.clock.advance(10 * 60_000);
  const refused = await own.call('POST', '/oauth2/account/totp');
  expect([refused.statusCode, refused.json().error]).toEqual([403, 'proof_required']);
  expect((await own.call('POST', '/oauth2/account/proof', { password: 'faux' })).statusCode).toBe(422);
  expect((await own.call('POST', '/oauth2/account/proof', { password })).statusCode).toBe(200);
  expect((await own.call('POST', '/oauth2/account/totp')).statusCode).toBe(200);
});

test('the trail tells of factors that came and went, of codes used and of proofs, never of a code', async () => {
  const { recoveryCodes, own } = await personWithTotp('f-trail');
  const other = browser();
  await other.login('f-trail', password);
  await other.call('POST', '/oauth2/sign-in/totp', { code: '123456' });
  await other.call('POST', '/oauth2/sign-in/recovery-code', { code: recoveryCodes[0]! });
  await own.call('DELETE', '/oauth2/account/totp');
  const events = await rig.trail('agent=Practitioner/f-trail');
  const told = events.map((event) => [event.subtype?.at(-1)?.code, event.outcome, event.outcomeDesc].join(' '));
  expect(told).toEqual(
    expect.arrayContaining([
      'factor-added 0 totp',
      'recovery-codes-made 0 ',
      'sign-in-begun 0 second-factor',
      '110122 4 wrong totp',
      'recovery-code-used 0 ',
      '110122 0 password recovery-code',
      'factor-removed 0 totp',
    ]),
  );
  expect(JSON.stringify(events)).not.toContain(recoveryCodes[0]!.slice(0, 9));
  for (const event of events) {
    expect(
      inspectResource(event).issues.filter(({ severity }) => severity === 'error'),
      JSON.stringify(event),
    ).toEqual([]);
  }
});

test('after the master keys turned, applications go on without the old key', async () => {
  const old = newKeyLine(rig.clock.now());
  const fresh = newKeyLine(rig.clock.now());
  const room = { database: rig.database, sealer: createVault(openKeyRing({ text: old })) };
  await person('f-turn');
  const owner = { tenant: 'aa', login: 'f-turn' };
  const { secret } = await beginTotp(room, owner, rig.clock.now());
  await confirmTotp(room, owner, code(secret), rig.clock.now());
  rig.clock.advance(60_000);
  // Those that other tests sealed with keys of their own must not open here, nor be lost without a word.
  await rig.database.query('aa', `DELETE FROM totp_factor WHERE login <> 'f-turn'`);
  await rig.database.query('aa', 'DELETE FROM password_history');
  expect(await resealAccounts(rig.database, createVault(openKeyRing({ text: fresh + old })))).toBe(1);
  const after = { ...room, sealer: createVault(openKeyRing({ text: fresh })) };
  expect(await verifyTotp(after, owner, code(secret), rig.clock.now())).toBe(true);
  expect(await resealAccounts(rig.database, createVault(openKeyRing({ text: fresh })))).toBe(0);
  await expect(resealAccounts(rig.database, createVault(openKeyRing({ text: old })))).rejects.toThrow();
});
