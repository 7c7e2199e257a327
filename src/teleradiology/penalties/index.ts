/** Penalties of late clocks and late rotas, by establishment and month (WF-4, CM-2). */
export { penaltiesOf, penaltiesOperation } from './operation.ts';
export { isPublishedLate, lateChanges, type Penalties, penaltiesCsv, totals } from './report.ts';
