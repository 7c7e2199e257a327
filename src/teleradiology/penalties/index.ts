/** Penalties of late clocks and late rotas, by establishment and month (WF-4, CM-2). */
export type { LateRun } from './late-runs.ts';
export { penaltiesOf, penaltiesOperation } from './operation.ts';
export {
  isPublishedLate,
  lateChanges,
  type Penalties,
  penaltiesCsv,
  penaltiesParameters,
  totals,
} from './report.ts';
