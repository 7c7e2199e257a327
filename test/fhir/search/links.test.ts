import { expect, it } from 'vitest';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createMatcher } from '../../../src/fhir/search/match.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { readQuery } from '../../../src/fhir/search/query.ts';
import { typesTouched } from '../../../src/fhir/search/types-touched.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';

const registry = createParameterRegistry(loadSearchDefinitions(), interpretPath);
const filter = (text: string) => `_filter=${encodeURIComponent(text)}`;

/** Status and diagnostics of the refusal; undefined when the query is understood. */
function refusal(read: () => unknown): unknown {
  try {
    read();
    return undefined;
  } catch (error) {
    return error;
  }
}

// Task.focus may point to any of 145 types, a dozen of which depend on any in turn: nine links make more than 10^8 criteria.
it.each([
  ['a chain', `focus.${'depends-on.'.repeat(8)}_id=x`],
  ['a chain behind a reverse one', `_has:Task:focus:focus.${'depends-on.'.repeat(7)}_id=x`],
  ['chains of one link each', Array(30).fill('focus._id=x').join('&')],
  ['a path of _filter', filter(`focus.${'depends-on.'.repeat(8)}_id eq x`)],
  ['a path of _filter at the end of a chain', `focus:Task.${filter('focus.depends-on.depends-on._id eq x')}`],
  ['brackets in a path of _filter', filter(`focus[${Array(40).fill('_id eq x').join(' or ')}]._id eq x`)],
])('%s that leads to too many types is refused, and says what helps', (_, query) => {
  for (const read of [
    () => readQuery(registry, ['Task'], query, 'strict'),
    () => typesTouched(registry, ['Task'], query),
    () => createMatcher({ registry })('Task', query),
  ]) {
    const error = refusal(read);
    expect(error).toMatchObject({ status: 422, outcome: { issue: [{ code: 'too-costly' }] } });
    expect((error as Error).message).toMatch(/name the type of each link/);
  }
});

it.each([
  [`${'focus:Task.'.repeat(10)}_id=x`],
  ['focus._id=x'],
  ['focus.subject._id=x'],
  ['patient.organization.partof.name=x&requester.name=y&owner.name=z&subject.name=x'],
  [`_has:Task:focus:${'focus:Task.'.repeat(9)}_id=x`],
  [filter('focus[_id eq x or _lastUpdated gt 2026]._id eq x')],
  [filter(Array(100).fill('patient.name eq x').join(' or '))],
])('%s is understood', (query) => {
  expect(refusal(() => readQuery(registry, ['Task'], query, 'strict'))).toBeUndefined();
});

it('the widest chains of two links without types are understood, twice in a query', () => {
  const query = 'supporting-info.derived-from._id=x&supporting-info.derived-from._id=y';
  expect(refusal(() => readQuery(registry, ['Appointment'], query, 'strict'))).toBeUndefined();
});

it.each([
  ['a chain', `${'link:Patient.'.repeat(11)}name=x`],
  ['a reverse chain', `${'_has:Patient:link:'.repeat(11)}name=x`],
  ['a path of _filter', filter(`${'link.'.repeat(11)}name eq x`)],
  ['reverse chains in a path of _filter', filter(`${'_has:Patient:link:'.repeat(11)}name eq x`)],
  [
    'a path of _filter at the end of a chain',
    `${'link:Patient.'.repeat(6)}${filter(`${'_has:Patient:link:'.repeat(6)}name eq x`)}`,
  ],
])('%s of more than ten links is refused', (_, query) => {
  expect(refusal(() => readQuery(registry, ['Patient'], query, 'strict'))).toMatchObject({
    status: 400,
    message: expect.stringContaining('more than 10 links'),
  });
});
