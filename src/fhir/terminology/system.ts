/** A code system that can be asked: in memory, in tables, or known by its syntax. */
import type { Concept, SystemInfo } from './concept.ts';
import type { Selection } from './selection.ts';

export interface SelectOptions {
  /** Only concepts whose code or designations have words that begin with these words (folded). */
  text?: string;
  activeOnly?: boolean;
  /** Leaves out abstract concepts. */
  selectableOnly?: boolean;
  offset: number;
  /** Concepts on the page; 0 only counts. */
  limit: number;
}

export interface Selected {
  concepts: Concept[];
  /** How many the selection has, whatever the page. */
  total: number;
}

/** https://hl7.org/fhir/R4/valueset-concept-subsumption-outcome.html */
export type Subsumption = 'equivalent' | 'subsumes' | 'subsumed-by' | 'not-subsumed';

export interface KnownSystem {
  readonly info: SystemInfo;
  find(code: string): Promise<Concept | undefined>;
  /** In the order of the system, or of the list when codes are named one by one; best match first with `text`. */
  select(selection: Selection, options: SelectOptions): Promise<Selected>;
  /** @returns false also for codes that do not exist. */
  contains(selection: Selection, code: string): Promise<boolean>;
  /** `undefined` when one of the codes does not exist. */
  subsumption(codeA: string, codeB: string): Promise<Subsumption | undefined>;
  /** The code itself and everything above or below; `undefined` when it does not exist. @throws FhirError 422 `too-costly` above `limit`. */
  related(code: string, direction: 'above' | 'below', limit: number): Promise<string[] | undefined>;
  /** Codes directly below. */
  children(code: string): Promise<string[]>;
}
