import { expect, test } from 'vitest';
import { failureOf } from '../../../src/fhir/rest/errors.ts';

test('a statement the database gave up on is said to be too much, without the words of the database', () => {
  const given = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
  const { status, outcome, isInternal } = failureOf(given, 'r');
  expect([status, outcome.issue[0]?.code, isInternal]).toEqual([503, 'timeout', false]);
  expect(JSON.stringify(outcome)).not.toContain('statement');
});

test('any other error of the database is ours, and says only which request to quote', () => {
  const given = Object.assign(new Error('duplicate key: (tenant, id)=(aa, DUPONT)'), {
    code: '23505',
    severity: 'ERROR',
  });
  const { status, outcome, isInternal } = failureOf(given, 'r-7');
  expect([status, isInternal]).toEqual([500, true]);
  expect(JSON.stringify(outcome)).not.toContain('DUPONT');
  expect(outcome.issue[0]?.diagnostics).toContain('r-7');
});
