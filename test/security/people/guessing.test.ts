import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer, Sql } from '../../../src/db/index.ts';
import { openScene, password, type Scene } from './support.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

/** The statements that run during `work`, in order, without their values. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const { database } = scene;
  const { query, transaction } = database;
  const seen: string[] = [];
  const note = (statement: unknown) =>
    seen.push(typeof statement === 'string' ? statement : String((statement as { text: string }).text));
  database.query = ((tenant: never, statement: never, values: never) => {
    note(statement);
    return query(tenant, statement, values);
  }) as typeof query;
  database.transaction = ((tenant: never, inside: (sql: Sql) => Promise<unknown>) =>
    transaction(tenant, (sql) =>
      inside({
        query: ((statement: never, values: never): Promise<Answer<unknown>> => {
          note(statement);
          return sql.query(statement, values);
        }) as unknown as Sql['query'],
      }),
    )) as typeof transaction;
  try {
    await work();
  } finally {
    database.query = query;
    database.transaction = transaction;
  }
  return seen.filter((text) => text !== '');
}

test('whatever the account is, a wrong password gets the same answer for the same work', async () => {
  await scene.person('z-plain');
  await scene.person('z-temporary', { temporaryPassword: true });
  await scene.person('z-shut');
  await scene.access.setDisabled('z-shut', true);
  await scene.person('z-machine', {
    kind: 'machine',
    reference: 'Device/z-machine',
    roles: ['ris'],
    password: undefined,
  });
  await scene.person('z-admin', { roles: ['administrator'], password: 'Hirondelle-47-Sud' });
  await scene.withTotp('z-totp');
  await scene.person('z-expired');
  scene.clock.advance(91 * 24 * 3_600_000);
  const tried: [string, string][] = [
    ['nobody-at-all', 'faux'],
    ['z-plain', 'faux'],
    ['z-expired', 'faux'],
    ['z-temporary', 'faux'],
    ['z-totp', 'faux'],
    ['z-admin', 'faux'],
    ['z-shut', 'faux'],
    ['z-machine', 'faux'],
    // The right one of an account that is shut off, or was waiting too long, says no more.
    ['z-shut', password],
    ['z-temporary', password],
  ];
  const answers = [];
  for (const [login, secret] of tried) {
    const browser = scene.browser();
    let answer: Awaited<ReturnType<typeof browser.login>> | undefined;
    const statements = await statementsOf(async () => {
      answer = await browser.login(login, secret);
    });
    const { 'content-length': length, ...headers } = answer!.headers;
    delete headers.date;
    answers.push({ status: answer!.statusCode, body: answer!.body, length, headers, statements });
  }
  for (const [index, answer] of answers.entries()) expect(answer, tried[index]![0]).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ status: 401 });
  expect(answers[0]!.statements.length).toBeGreaterThan(3);
});

test('a name nobody has is looked for in a tenant of people, like one that somebody has', async () => {
  await scene.person('z-here');
  const { query, transaction } = scene.database;
  const turned: string[] = [];
  scene.database.transaction = ((tenant: string, work: never) => {
    turned.push(tenant);
    return transaction(tenant, work);
  }) as typeof transaction;
  for (const login of ['z-here', 'z-heqe']) {
    turned.length = 0;
    await scene.browser().login(login, 'faux');
    expect(turned[0], login).toBe('aa');
  }
  Object.assign(scene.database, { query, transaction });
});

test('a name that exists and one that does not are slowed down alike', async () => {
  await scene.person('z-known');
  const waits: string[][] = [];
  for (const login of ['z-known', 'z-unknown']) {
    const browser = scene.browser();
    const own: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      const answer = await browser.login(login, 'faux');
      own.push(`${answer.statusCode} ${answer.headers['retry-after'] ?? ''} ${answer.body}`);
    }
    waits.push(own);
  }
  expect(waits[0]).toEqual(waits[1]);
});

test('many addresses that guess one account wait as long as one would', async () => {
  await scene.person('z-target');
  const statuses: number[] = [];
  for (let n = 0; n < 40; n += 1)
    statuses.push((await scene.browser(`198.51.100.${n}`).login('z-target', 'faux')).statusCode);
  expect(statuses.filter((status) => status === 401)).toHaveLength(5);
  let waited = 0;
  for (let n = 0; n < 14; n += 1) {
    const early = await scene.browser().login('z-target', password);
    expect(early.statusCode).toBe(429);
    const wait = Number(early.headers['retry-after']);
    expect(wait).toBe(Math.min(2 ** n, 900));
    waited += wait;
    scene.clock.advance(wait * 1000);
    expect((await scene.browser().login('z-target', 'faux')).statusCode).toBe(401);
  }
  expect(waited).toBeGreaterThan(3_600);
  const locked = await scene.trail('agent=Practitioner/z-target');
  const told = locked.filter((event) => event.subtype?.[0]?.code === 'locked-out');
  expect(told.map((event) => event.outcomeDesc)).toEqual(['too many failures of one account']);
});

test('one address that guesses many accounts waits, and all of an IPv6 network are one address', async () => {
  const from = async (address: (n: number) => string) => {
    const statuses: number[] = [];
    for (let n = 0; n < 34; n += 1)
      statuses.push((await scene.browser(address(n)).login(`z-many${n}`, 'faux')).statusCode);
    return statuses.filter((status) => status === 401).length;
  };
  expect(await from(() => '192.0.2.77')).toBe(31);
  expect(await from((n) => `2001:db8:1:2:${n.toString(16)}::${n}`)).toBe(31);
  expect((await scene.browser('2001:DB8:1:2::ffff').login('z-last', 'faux')).statusCode).toBe(429);
  expect((await scene.browser('2001:db8:1:3::1').login('z-last', 'faux')).statusCode).toBe(401);
  // The same address as a dual-stack socket names it.
  expect((await scene.browser('::ffff:192.0.2.77').login('z-last', 'faux')).statusCode).toBe(429);
});

test('who knows the password cannot wipe out wrong codes with it', async () => {
  const { secret } = await scene.withTotp('z-code');
  let right = 0;
  for (let n = 0; n < 12; n += 1) {
    const browser = scene.browser();
    const begun = await browser.login('z-code', password);
    if (begun.statusCode !== 202) continue;
    right += 1;
    expect([401, 429]).toContain((await browser.call('POST', '/oauth2/sign-in/totp', { code: '000000' })).statusCode);
  }
  expect(right).toBeLessThanOrEqual(5);
  scene.clock.advance(3_600_000);
  const own = scene.browser();
  await own.login('z-code', password);
  expect((await own.call('POST', '/oauth2/sign-in/totp', { code: scene.code(secret) })).statusCode).toBe(200);
});

test('an honest sign-in in a hospital behind one address shuts nobody out, and an insider’s cannot pay for guesses', async () => {
  await scene.person('z-insider');
  const hospital = '192.0.2.88';
  for (let n = 0; n < 31; n += 1) await scene.browser(hospital).login(`z-typo${n}`, 'faux');
  scene.clock.advance(1_000);
  expect((await scene.browser(hospital).login('z-insider', password)).statusCode).toBe(200);
  expect((await scene.browser(hospital).login('z-insider', password)).statusCode).toBe(200);
  let guesses = 0;
  for (let n = 0; n < 10; n += 1) {
    if ((await scene.browser(hospital).login(`z-victim${n}`, 'faux')).statusCode === 401) guesses += 1;
    await scene.browser(hospital).login('z-insider', password);
  }
  expect(guesses).toBeLessThanOrEqual(1);
});

test('guessing the password inside a stolen session waits like guessing at the door', async () => {
  await scene.person('z-stolen');
  const thief = scene.browser();
  await thief.login('z-stolen', password);
  const statuses: number[] = [];
  for (let n = 0; n < 8; n += 1)
    statuses.push((await thief.call('POST', '/oauth2/account/proof', { password: `faux${n}` })).statusCode);
  expect(statuses).toEqual([422, 422, 422, 422, 422, 429, 429, 429]);
});
