import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createUseNotes,
  lastPeriod,
  overdueReviews,
  periodNamed,
  reviewMarkdown,
} from '../../../src/access/reviews/index.ts';
import { decide, reviewAccounts } from '../../../src/access/reviews/review.ts';
import type { Database } from '../../../src/db/index.ts';
import { testDatabase } from '../../support/database.ts';

describe('periods of reviews', () => {
  it('follow each other without a gap', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true }), (now) => {
        const period = lastPeriod('use', now);
        expect(lastPeriod('use', new Date(`${period.to}T12:00:00Z`))).toEqual(period);
        expect(period.from < period.to).toBe(true);
        expect(lastPeriod('use', new Date(`${period.from}T12:00:00Z`)).to).toBe(period.from);
      }),
    );
  });

  it('change at midnight in Paris, not in Greenwich', () => {
    expect(lastPeriod('use', new Date('2026-12-31T22:59:59Z')).name).toBe('2026-Q3');
    expect(lastPeriod('use', new Date('2026-12-31T23:00:00Z')).name).toBe('2026-Q4');
    expect(lastPeriod('need', new Date('2026-12-31T23:00:00Z')).name).toBe('2026');
  });

  it('have names that say what they are', () => {
    expect(periodNamed('2026-Q4')).toEqual({ kind: 'use', name: '2026-Q4', from: '2026-10-01', to: '2027-01-01' });
    expect(() => periodNamed('2026-Q5')).toThrow('n’est pas une période');
  });
});

describe('a review of accounts', () => {
  let database: Database;
  const period = periodNamed('2026-Q1');
  const now = new Date('2026-06-20T10:00:00Z');

  beforeAll(async () => {
    database = await testDatabase();
    const add = (login: string, kind: string, roles: string[], created: string, more: Record<string, unknown> = {}) =>
      database.query(
        'aa',
        `INSERT INTO account (tenant, login, kind, reference, display, roles, organization_id, disabled, created_at)
         VALUES ('aa', $1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          login,
          kind,
          `${kind === 'person' ? 'Practitioner' : 'Device'}/${login}`,
          more.display ?? login,
          roles,
          more.organization ?? null,
          more.disabled ?? false,
          created,
        ],
      );
    await add('noa', 'person', ['radiologist'], '2025-11-01T09:00:00Z', { display: 'NOA | TEST' });
    await add('old', 'person', ['administrator'], '2025-11-01T09:00:00Z');
    await add('gone', 'person', ['requester'], '2025-11-01T09:00:00Z', { disabled: true });
    await add('ris', 'machine', ['ris'], '2026-01-05T09:00:00Z');
    await add('later', 'person', ['requester'], '2026-04-01T09:00:00Z');
    const note = createUseNotes(database);
    for (const day of ['2025-12-30', '2026-01-02', '2026-01-02', '2026-02-01', '2026-06-19']) {
      await note('aa', 'noa', new Date(`${day}T10:00:00Z`));
    }
    await note('aa', 'old', new Date('2026-01-10T10:00:00Z'));
  });
  afterAll(() => database.close());

  it('tells who has what, on how many days it was used, and what stands out', async () => {
    const { accounts } = await reviewAccounts(database, 'aa', period, now);
    const facts = accounts.map(({ login, daysUsed, lastUsed, remarks }) => [
      login,
      daysUsed,
      lastUsed,
      remarks.join(' '),
    ]);
    expect(facts).toEqual([
      ['gone', 0, undefined, 'disabled never-used'],
      ['noa', 2, '2026-06-19', ''],
      ['old', 1, '2026-01-10', 'stale privileged'],
      ['ris', 0, undefined, 'never-used stale technical without-establishment'],
    ]);
  });

  it('is overdue until every active account has its decision', async () => {
    expect(
      (await overdueReviews(database, 'aa', new Date('2026-04-20T10:00:00Z'))).map(({ subject }) => subject),
    ).toEqual(['need 2025']);
    const late = await overdueReviews(database, 'aa', now);
    expect(late).toContainEqual({
      kind: 'review-overdue',
      subject: 'use 2026-Q1',
      detail: 'Période 2026-Q1 : 3 compte(s) sans décision',
    });
    const decision = { decision: 'kept', reason: '', reviewer: 'chef', decidedAt: now } as const;
    for (const login of ['noa', 'old', 'ris']) await decide(database, 'aa', period, login, decision);
    expect((await overdueReviews(database, 'aa', now)).map(({ subject }) => subject)).toEqual(['need 2025']);
    await expect(decide(database, 'aa', period, 'nobody', decision)).rejects.toThrow('pas de compte « nobody »');
    await expect(decide(database, 'bb', period, 'noa', decision)).rejects.toThrow('pas de compte « noa »');
  });

  it('is a French table that no name can break', async () => {
    const text = reviewMarkdown(await reviewAccounts(database, 'aa', period, now));
    expect(text).toContain('# Revue trimestrielle d’utilisation des comptes : aa, 2026-Q1');
    expect(text).toContain('| noa | NOA \\| TEST | radiologist |');
    expect(text).toContain('maintenu par chef');
  });
});
