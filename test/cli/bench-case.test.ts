/** What a measurement sends is about people nobody could mix up: a doubt about an identity would be measured instead, or end the measurement. */
import { expect, it } from 'vitest';
import { benchCase } from '../../src/cli/bench/bench-case.ts';
import { isNearlyTheSame, nearDates } from '../../src/teleradiology/identity/homonyms.ts';

const count = 1_300;

it('are all other people, with numbers and orders of their own', () => {
  const cases = Array.from({ length: count }, (_, n) => benchCase('HL', n));
  for (const property of ['ipp', 'ins', 'placerNumber', 'accessionNumber', 'birthName'] as const)
    expect(new Set(cases.map((one) => one[property])).size).toBe(count);
  const traits = cases.map(({ birthName, givenNames, birthDate }) => ({
    birthFamily: birthName,
    otherFamilies: [],
    birthGiven: givenNames,
    otherGivens: [],
    birthDate: birthDate.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3'),
    ipps: [],
  }));
  const byDate = Map.groupBy(traits, ({ birthDate }) => birthDate);
  const doubts = traits.flatMap((one) =>
    nearDates(one.birthDate)
      .flatMap((date) => byDate.get(date) ?? [])
      .filter((other) => other !== one && isNearlyTheSame(one, other)),
  );
  expect(doubts).toEqual([]);
});
