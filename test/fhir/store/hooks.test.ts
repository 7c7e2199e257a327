import { expect, it } from 'vitest';
import { createHooks } from '../../../src/fhir/store/hooks.ts';

it('are met by the types they are about, in the order they were added; those about everything by every type', () => {
  const hooks = createHooks<string>();
  hooks.add('of tasks', ['Task']);
  hooks.add('of all', []);
  hooks.add('of tasks and patients', ['Task', 'Patient']);
  expect(hooks.of('Task')).toEqual(['of tasks', 'of all', 'of tasks and patients']);
  expect(hooks.of('Patient')).toEqual(['of all', 'of tasks and patients']);
  expect(hooks.of('Observation')).toEqual(['of all']);
  expect(hooks.of('constructor')).toEqual(['of all']);
  // What is no resource is refused later, by whoever checks resources.
  expect(hooks.of(undefined)).toEqual(['of all']);
  hooks.add('of observations', ['Observation']);
  expect(hooks.of('Observation')).toEqual(['of all', 'of observations']);
  expect(hooks.of('Task')).toHaveLength(3);
});
