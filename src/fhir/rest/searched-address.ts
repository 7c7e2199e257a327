/** Where a search goes, below the base: `Patient`, `Patient/1/Observation`, `Patient/1/*`, or nothing for the whole system. */
import type { Call } from './call.ts';

export function searchedAddress({ type, compartment }: Pick<Call, 'type' | 'compartment'>): string {
  return compartment ? `${compartment.type}/${compartment.id}/${type ?? '*'}` : (type ?? '');
}
