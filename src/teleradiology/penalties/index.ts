/** Penalties of late clocks, by establishment and month (WF-4). */
export type { LateRun } from './late-runs.ts';
export { penaltiesOf, penaltiesOperation } from './operation.ts';
export { penaltiesCsv, penaltiesParameters, totals } from './report.ts';
