/** What an effect may use. */
import type { FhirTransaction } from '../../fhir/index.ts';
import type { CaseActor, Facts } from '../case/index.ts';
import type { Room } from '../room.ts';
import type { CaseView } from './case-view.ts';
import type { TaskWrites } from './task-writes.ts';

export interface EffectScene {
  room: Room;
  writes: TaskWrites;
  tx: FhirTransaction;
  actor: CaseActor & { display: string };
  view: CaseView;
  input: Given;
  now: Date;
}

/** What a call brings: what the machine judges, and what it does not look at. */
export type Given = Facts['input'] & {
  /** Who was on the telephone. */
  with?: string;
  /** At which number, and when; the request's call-back number, and now. */
  number?: string;
  at?: Date;
  /** How pressing a critical result is: `immediate`, `hours`, `days`. */
  criticalCategory?: string;
  /** Series Instance UIDs displayed. */
  displayed?: readonly string[];
  /** The second reader shall not see the first report before giving an opinion. */
  blind?: boolean;
  /** Number of the version of the report that is signed. */
  version?: number;
  /** The addendum is the complement the act owes. */
  complement?: boolean;
};
