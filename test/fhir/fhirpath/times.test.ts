import { describe, expect, it } from 'vitest';
import { compileFhirPath } from '../../../src/fhir/fhirpath/index.ts';
import { shapes } from './instances.ts';

const observation = {
  resourceType: 'Observation',
  status: 'final',
  issued: '2026-03-29T00:30:00.000+01:00',
  effectivePeriod: { start: '2024-02-29', end: '2024-03-31T23:30:00+02:00' },
  component: [
    { valueDateTime: '2024' },
    { valueTime: '14:30:00' },
    { valueQuantity: { value: 18, unit: 'ans', system: 'http://unitsofmeasure.org', code: 'a' } },
    { valueQuantity: { value: 3, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' } },
    { valueString: '2024-01-01' },
  ],
  extension: [
    { url: 'age', valueAge: { value: 18, unit: 'a', system: 'http://unitsofmeasure.org', code: 'a' } },
    { url: 'born', valueDate: '2006-03-29' },
  ],
};

const select = (expression: string, now = '2026-11-22T23:30:00.000Z') => {
  const about = { resource: observation, rootResource: observation, now: new Date(now) };
  return compileFhirPath(expression, 'Observation', shapes).select(observation, about);
};

describe('a date moved by a duration', () => {
  it.each([
    ['@2024-02-29 + 1 year', '2025-02-28'],
    ['@2024-02-29 + 4 years', '2028-02-29'],
    ['@2024-01-31 + 1 month', '2024-02-29'],
    ['@2024-03-31 - 1 month', '2024-02-29'],
    ['@2024-01-15 - 2 months', '2023-11-15'],
    ['@2023-12-31 + 1 day', '2024-01-01'],
    ['@2024-03-01 - 1 day', '2024-02-29'],
    ['@2024-01-01 + 2 weeks', '2024-01-15'],
    ['@2024-01-01 + 1.9 days', '2024-01-02'],
    ['@2024-01-01 - 1.9 days', '2023-12-31'],
    ["@2024-01-01 + 3 'd'", '2024-01-04'],
    ["@2024-01-01 + 1 'wk'", '2024-01-08'],
    // As precise as it is: what is finer counts by its whole years, months, days.
    ['@2014 + 24 months', '2016'],
    ['@2014 + 23 months', '2015'],
    ['@2014 - 365 days', '2013'],
    ['@2014-05 + 61 days', '2014-07'],
    ['@2014-05 + 1 year', '2015-05'],
    ['@2019-03-01 + 25 hours', '2019-03-02'],
    ['@2019-03-01 + 23 hours', '2019-03-01'],
    ['@2019-03-01T12 + 90 minutes', '2019-03-01T13'],
    ['@2019-03-01T23:30 + 90 seconds', '2019-03-01T23:31'],
    // Wall clock and zone as they are written.
    ['@2024-12-31T23:59:59+01:00 + 1 second', '2025-01-01T00:00:00+01:00'],
    ['@2024-12-31T23:59:59Z + 500 milliseconds', '2024-12-31T23:59:59.500Z'],
    ['@2024-12-31T23:59:59.9999Z + 1 second', '2025-01-01T00:00:00.9999Z'],
    ["@2024-01-01T00:00:00.000Z + 0.1 's'", '2024-01-01T00:00:00.100Z'],
    ['@2024-01-01T00:00:00Z - 1 month', '2023-12-01T00:00:00Z'],
    ['@0099-12-31 + 1 day', '0100-01-01'],
    ['@T23:30 + 45 minutes', '00:15'],
    ['@T00:10:00 - 1 hour', '23:10:00'],
    ['@T14:30 + 90 seconds', '14:31'],
    ['effective.start + 1 year', '2025-02-28'],
    ['issued - 1 day', '2026-03-28T00:30:00.000+01:00'],
    ['component[0].value + 1 year', '2025'],
    ["extension('born').value + extension('age').value", '2024-03-29'],
    ['(component[1].value as time) + 1 hour', '15:30:00'],
  ])('%s is %s', (expression, expected) => {
    expect(select(expression)).toEqual([expected]);
  });

  it.each([
    "@2024-01-01 + 1 'mo'",
    "@2024-01-01 + 1 'a'",
    "@2024-01-01 + 1 'cm'",
    '@2024-01-01 + 7',
    '@T14:30 + 1 day',
    '@9999-12-31 + 1 day',
    '@0001-01-01 - 1 day',
    '@2024-01-01 + 99999999999 years',
    '@2024-01-01 * 2 days',
    '@2024-01-01 + {}',
    'effective.start + component[3].value',
    '@2024-01-01 + @2024-01-01',
    "'abc' + 1 day",
  ])('%s is nothing', (expression) => {
    expect(select(expression)).toEqual([]);
  });
});

describe('the present', () => {
  it('is the one of France, and the same for a whole evaluation', () => {
    expect(select('today() | now() | timeOfDay()')).toEqual([
      '2026-11-23',
      '2026-11-23T00:30:00.000+01:00',
      '00:30:00.000',
    ]);
    expect(select('today()', '2026-07-01T21:59:59.999Z')).toEqual(['2026-07-01']);
    expect(select('now()', '2026-07-01T22:00:00.000Z')).toEqual(['2026-07-02T00:00:00.000+02:00']);
  });

  it('moves, and what is compared with it', () => {
    const isAdult = "extension('born').value <= today() - 18 years";
    expect(select(isAdult, '2024-03-28T12:00:00Z')).toEqual([false]);
    expect(select(isAdult, '2024-03-29T12:00:00Z')).toEqual([true]);
    const wasIssued = 'issued <= now()';
    expect(select(wasIssued, '2026-03-28T23:29:59.999Z')).toEqual([false]);
    expect(select(wasIssued, '2026-03-28T23:30:00.000Z')).toEqual([true]);
    // The day itself is no moment of it.
    expect(select("extension('born').value <= now()", '2006-03-29T12:00:00Z')).toEqual([]);
  });
});

describe('times compared', () => {
  it.each([
    ['@2024-01-01T10:00:00Z = @2024-01-01T11:00:00+01:00', true],
    ['@2024-01-01T23:30:00-01:00 > @2024-01-02T00:00:00Z', true],
    ['@2024-01-01T10:00:00.5Z > @2024-01-01T11:00:00.25+01:00', true],
    ['@2024-01-01T10:00:00.123456Z < @2024-01-01T11:00:00.123457+01:00', true],
    ['@2016-12-31T23:59:60Z < @2017-01-01T02:00:00+01:00', true],
    ['@2012-04-15T15:00:00Z = @2012-04-15T10:00:00', undefined],
    ['@2012-04-15T15:00:00Z < @2012-04-17T10:00:00', true],
    ['@2012-04-15T15:30:31 ~ @2012-04-15T15:30:31.0', true],
    ['@2012 ~ @2012-04', false],
    ['@2012-04-15 != @T12:14', true],
    ['@2024 < @2024-05', undefined],
    ['@2023 < @2024-05', true],
    ['effective.end > @2024-03-31', undefined],
    ['component[4].value = @2024-01-01', true],
    ["component[4].value > 'abc'", false],
  ])('%s: %s', (expression, expected) => {
    expect(select(expression)).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe('durations and other quantities', () => {
  it.each([
    ['7 days = 1 week', true],
    ["8 days > 1 'wk'", true],
    ["extension('age').value >= 18 years", true],
    ["extension('age').value > 18 years", false],
    ["extension('age').value is Quantity", true],
    ["component[2].value - 1 year = 17 'a'", true],
    ['36 months > component[2].value', false],
    ["4 'g' ~ 4040 'mg'", true],
    ["4.0 'g' ~ 4140 'mg'", true],
    ["4.1 'g' ~ 4040 'mg'", false],
    ['1.2 / 1.8 ~ 0.67', true],
    ["2.0 'cm' * 2.0 'm' = 0.040 'm2'", true],
    ["4.0 'g' / 2.0 'm' = 2 'g/m'", true],
    ["2 * 3 'cm' = 6 'cm'", true],
    ["1 'm' + 5 'cm' = 105 'cm'", true],
    ["1 'm' - 5 'cm' < 96 'cm'", true],
    ["-(5 'cm') < 0 'cm'", true],
    ["'3 weeks'.toQuantity() = 21 days", true],
    ["'3 fortnights'.convertsToQuantity()", false],
    ["1 week.toString() & ', ' & (5 'mg').toString()", "1 week, 5 'mg'"],
    ["'2024-02-30'.convertsToDate()", false],
    ["'2024-02-29T10:00:00Z'.toDate() = @2024-02-29", true],
    ["'2024-02-29'.convertsToDateTime() and '14:30'.convertsToTime()", true],
    ["'24'.convertsToDate()", false],
    ['(1 | 2 | 3).aggregate($this + $total, 0)', 6],
    ['(3 | 1 | 2).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))', 1],
    ['2 + 2 // and no more 4', 4],
  ])('%s: %s', (expression, expected) => {
    expect(select(expression)).toEqual([expected]);
  });

  it.each(["1 'm' + 1 'g'", "1 'm' / 0 'm'", "37 'Cel' + 1 'K'", '1 year / 0'])('%s is nothing', (expression) => {
    expect(select(expression)).toEqual([]);
  });

  it.each([
    ["'TEXT'.replace('a', 'TEXT').replace('a', 'TEXT').replace('a', 'TEXT').length()", 400],
    ["'TEXT'.replaceMatches('a', 'TEXT').replaceMatches('a', 'TEXT').replaceMatches('a', 'TEXT').length()", 400],
    [
      `'TEXT'.replaceMatches('.+', '${'$0$&'.repeat(30)}')${".replaceMatches('.+', '$&$&$&$&$&$&$&$&')".repeat(9)}.length()`,
      400,
    ],
    [`'TEXT'${".replace('', 'TEXT')".repeat(4)}.length()`, 400],
  ])('a text that grows out of all measure is nothing: %s', (expression, length) => {
    expect(select(expression.replaceAll('TEXT', 'a'.repeat(length)))).toEqual([]);
  });

  it('texts are replaced as they were', () => {
    expect(select("'banana'.replace('an', '$&x') & 'b'.replace('', '-')")).toEqual(['b$&x$&xa-b-']);
    expect(select("'banana'.replaceMatches('(an)', '<$1>')")).toEqual(['b<an><an>a']);
  });

  it('what doubles at every step comes to an end', () => {
    const many = Array.from({ length: 60 }, (_, n) => n).join(' | ');
    expect(select(`(${many}).aggregate($total.combine($total).combine($this)).count()`)).toEqual([0]);
    expect(select(`(${many}).aggregate($total + $total, 'text')`)).toEqual([]);
  });
});
