import { expect, it } from 'vitest';
import { createTimeBudget } from '../../../src/fhir/validation/time-budget.ts';

it('an account that spends its time waits until it has some again, others do not wait', () => {
  let now = 0;
  const budget = createTimeBudget(() => now);
  for (let check = 0; check < 3; check++) {
    expect(budget.allows('one')).toBe(true);
    budget.spend('one', 2_000);
  }
  expect(budget.allows('one')).toBe(false);
  expect(budget.allows('other')).toBe(true);
  now += 20_000;
  expect(budget.allows('one')).toBe(true);
  budget.spend('one', 2_000);
  expect(budget.allows('one')).toBe(false);
});

it('an import of honest resources spends nothing', () => {
  const budget = createTimeBudget(() => 0);
  for (let resource = 0; resource < 100_000; resource++) budget.spend('importer', 20);
  expect(budget.allows('importer')).toBe(true);
});
