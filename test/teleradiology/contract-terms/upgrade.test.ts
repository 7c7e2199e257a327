/** A database with delays under way from before clocks had plans, migrated by an owner who is no superuser. */
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Database, migrate, migrationsFolder, openDatabase } from '../../../src/db/index.ts';
import { readPlan, stepsDue } from '../../../src/teleradiology/clock/index.ts';
import { clocksOf } from '../../../src/teleradiology/shell/case-clocks.ts';

const name = `t_${randomBytes(6).toString('hex')}`;
let folder: string;
let superuser: pg.Client;
let database: Database;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-clocks-'));
  superuser = new pg.Client({ connectionString: inject('superuserUrl') });
  await superuser.connect();
  await superuser.query(`CREATE ROLE ${name} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '${name}'`);
  const { rows } = await superuser.query<{ rolname: string }>(
    "SELECT rolname FROM pg_roles WHERE rolname ~ '^passerelle_'",
  );
  for (const { rolname } of rows) await superuser.query(`GRANT ${rolname} TO ${name} WITH ADMIN OPTION`);
  await superuser.query(`CREATE DATABASE ${name} OWNER ${name}`);
  const url = new URL(inject('superuserUrl'));
  Object.assign(url, { pathname: `/${name}`, username: name, password: name });
  const before = join(folder, 'before');
  await cp(migrationsFolder, before, { recursive: true, filter: (source) => !/\/01[7-9]\d_\w+\.sql$/.test(source) });
  await migrate(url.href, before);
  database = openDatabase(url.href, url.href);
  await database.addTenant('aa', 'Hospital A');
});
afterAll(async () => {
  await database.close();
  await superuser.query(`DROP DATABASE ${name}`);
  await superuser.end();
  await rm(folder, { recursive: true });
});

const at = (time: string): string => `2026-05-12T${time}:00.000Z`;

describe('delays under way from before clocks had plans', () => {
  it('keep what was told and gain the escalations; what waited is looked at, what was over is forgotten', async () => {
    const old = (caseId: string, kind: string, due: string, fired: string | null = null) =>
      database.query(
        'aa',
        `INSERT INTO due_time (tenant, case_id, kind, due_at, next_at, fired_at) VALUES ('aa', $1, $2, $3, $3, $4)`,
        [caseId, kind, due, fired],
      );
    await old('reading', 'deadline-50', at('08:30'), at('08:30'));
    await old('reading', 'deadline-75', at('08:45'));
    await old('reading', 'deadline-100', at('09:00'));
    await old('signed', 'deadline-50', at('08:30'), at('08:30'));
    await old('waiting', 'waiting', at('09:00'));
    await old('waiting', 'expiry', at('10:00'));
    await old('waiting', 'images-quiet', at('10:00'));

    await migrate(database.adminUrl, migrationsFolder);

    const { rows } = await database.query<{ case_id: string; kind: string; key: string; next_at: Date }>(
      'aa',
      'SELECT case_id, kind, key, next_at FROM due_time ORDER BY case_id, kind',
    );
    expect(rows.map((row) => [row.case_id, row.kind, row.key])).toEqual([
      ['reading', 'clock', 'interpretation'],
      ['waiting', 'clock', ''],
      ['waiting', 'images-quiet', ''],
    ]);
    expect(rows[0]?.next_at.toISOString()).toBe(at('08:45'));
    const plan = await database.transaction('aa', (sql) => readPlan(sql, 'aa', 'reading', 'interpretation'));
    expect(plan.map(({ step }) => step)).toEqual([
      'reminder-50',
      'reminder-75',
      'reminder-100',
      'due',
      'escalation-coordinator',
      'escalation-site',
      'repeat-1',
    ]);
    expect(stepsDue(plan, new Date(at('09:00'))).map(({ step }) => step)).toEqual([
      'reminder-75',
      'reminder-100',
      'due',
    ]);
  });

  it('are understood on cases that name no clock: the one was the reading’s', () => {
    const extension = [
      {
        url: 'https://fhir.passerelle.example/StructureDefinition/clock',
        extension: [
          { url: 'started', valueDateTime: at('08:00') },
          { url: 'rule', valueCode: 'urgent-1h' },
          { url: 'late', valueBoolean: false },
        ],
      },
    ];
    const restriction = { period: { start: at('08:00'), end: at('09:00') } };
    expect(clocksOf({ resourceType: 'Task', status: 'ready', intent: 'order', extension, restriction })).toMatchObject([
      { name: 'interpretation', due: new Date(at('09:00')), rule: 'urgent-1h' },
    ]);
  });
});
