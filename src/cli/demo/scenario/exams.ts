/** The exams of the scenarios: patients of the demonstration hospital, few images each. */
import { type DemoCase, demoCases } from '../../demonstration/cases.ts';

const slices = 6;

function exam(index: number, changes: Partial<DemoCase>): DemoCase {
  const base = demoCases()[index];
  if (!base) throw new Error(`the demonstration has no case ${index}`);
  return { ...base, slices, ...changes };
}

/** A man with a stroke in the emergency department. */
export const stroke = (): DemoCase => exam(1, { encounterClass: 'E' });
/** A woman with sudden headache in the emergency department. */
export const headache = (): DemoCase => exam(0, {});
/** A persistent cough, out-patient. */
export const cough = (): DemoCase => exam(2, {});
