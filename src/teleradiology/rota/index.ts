/** Who is on duty where and when: monthly rotas, their publication and changes, and whom to call now. */
export { type Month, monthNamed } from './calendar.ts';
export { raiseGap } from './gaps.ts';
export { guardRota } from './guard-rota.ts';
export { type Lapse, type RotaLateness, rotaLateness } from './lateness.ts';
export { rotaOperations } from './operations.ts';
export { raiseLateRota } from './publication-watch.ts';
export { createPublishing } from './publishing.ts';
