/** Adds what supplements say to the concepts of a system in tables; its text search knows the system's own names only. */
import type { CodeSystem } from '@medplum/fhirtypes';
import type { Concept } from './concept.ts';
import { supplemented } from './memory-content.ts';
import type { KnownSystem } from './system.ts';

export function withSupplements(system: KnownSystem, supplements: readonly CodeSystem[]): KnownSystem {
  if (supplements.length === 0) return system;
  const all = (concepts: readonly Concept[]) => supplements.reduce<Concept[]>(supplemented, [...concepts]);
  return {
    ...system,
    async find(code) {
      const concept = await system.find(code);
      return concept && all([concept])[0];
    },
    async select(selection, options) {
      const { concepts, total } = await system.select(selection, options);
      return { concepts: all(concepts), total };
    },
  };
}
