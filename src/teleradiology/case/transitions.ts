/**
 * The case machine as one table (WF-1, design §5 rule 4). Every row is one legal transition; what is not here is refused.
 * docs/workflow.md is rendered from it, and test/teleradiology explores it.
 *
 * What the sources leave open, decided here (reasons in docs/decisions/0007-case-machine.md and 0019-case-core.md):
 * - Rows of one event are tried in order; `when` chooses the row, `guards` refuse it by name.
 * - After every transition the machine settles: the system's rows `acknowledge` and `advance` are taken as long as one applies,
 *   so that facts that arrive in an unusual order (images before the protocol, flow 4 before the images) lead to the same state.
 * - Cancellation is legal until flow 4 is received or the case is readable; after it the site can only ask for it.
 * - The clock starts when the images are transmitted, whatever the state; an urgent case's with its first complete series.
 * - A phone exchange of an urgent case is a guard of `sign` (WF-5); consent is a guard of `claim` and again of `sign`.
 * - `claim` of a case in hand is a lost race (409), for its owner too: a claim is never silently repeated.
 * - Second readings and addenda of a signed report run beside its delivery; only the closed case shows the addendum as its state.
 * - `via` says how a row is reached: an operation on Task, a guarded plain update of Task, a message, the platform itself. A row
 *   without it belongs to the machine but nothing offers it yet.
 */
import { afterRows } from './table/after.ts';
import { imageRows } from './table/images.ts';
import { readingRows } from './table/reading.ts';
import { requestRows } from './table/request.ts';
import type { Transition } from './transition.ts';

export const transitions: readonly Transition[] = [...requestRows, ...imageRows, ...readingRows, ...afterRows];
