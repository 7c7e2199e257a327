/**
 * Cases among which no reader changes the order: what a reader is or holds moves all of a pool by the same minutes. A worklist is a few
 * sorted pools merged, whatever their length.
 */
import { type OpenCase, type Stage, stages } from './place.ts';

export interface Pool {
  stage: Stage;
  establishment: string;
  /** Somebody reads the case or is to read it. */
  held: boolean;
  /** Empty when held: who has it counts, not what it asks for. */
  specialty: string;
  language: string;
  firstReader: string;
  /** Who may read depends on it. */
  kind: string;
}

/** Stands between the parts: neither an id, a code nor a literal reference has it. */
const separator = '|';
const heldMark = '@';

export function poolText(open: Pick<OpenCase, keyof Omit<Pool, 'held'> | 'holder'>): string {
  const { stage, establishment, holder, specialty, language, firstReader = '', kind } = open;
  const parts = holder === undefined ? [specialty, language, firstReader] : [heldMark, '', firstReader];
  return [stage, establishment, ...parts, kind].join(separator);
}

/** @throws Error for a text that no case has. */
export function poolOf(text: string): Pool {
  const [stage, establishment = '', specialty = '', language = '', firstReader = '', kind = ''] = text.split(separator);
  const known = stages.find((each) => each === stage);
  if (known === undefined) throw new Error(`no such pool: ${text}`);
  const held = specialty === heldMark;
  return { stage: known, establishment, held, specialty: held ? '' : specialty, language, firstReader, kind };
}
