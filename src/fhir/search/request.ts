/** A search as understood: what must hold, what to add, in which order and which part of it. */
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { Parameter } from './parameters.ts';

/** One parameter of a query: any of `values` (OR). */
export interface Clause {
  parameter: Parameter;
  modifier?: string;
  /** Still escaped where an escape can matter (`\|`); commas are split. */
  values: string[];
}

/** Something that holds of a resource or does not. */
export type Criterion =
  | { kind: 'clause'; clause: Clause }
  /** `subject:Patient.name=x`: the reference points to a resource of one of these types of which the criterion holds. */
  | { kind: 'chain'; parameter: Parameter; targets: readonly { type: string; criterion: Criterion }[] }
  /** `_has:Observation:patient:code=x`: a resource of `type` points here through `parameter`, and the criterion holds of it. */
  | { kind: 'has'; type: string; parameter: Parameter; criterion: Criterion }
  /** `_list`: the List with this id has the resource as an item. */
  | { kind: 'list'; id: string }
  /** In the compartment of `owner` (`Patient/1`): one of the references points to it, or it is that resource. */
  | { kind: 'compartment'; owner: string; parameters: readonly Parameter[]; isOwner: boolean }
  /** A text of the parameter compares so with the value (`_filter`). */
  | { kind: 'text'; parameter: Parameter; operator: TextOperator; value: string }
  /** A date of the parameter overlaps the half-open period (`_filter`). */
  | { kind: 'overlap'; parameter: Parameter; loMs: number; hiMs: number }
  | { kind: 'all' | 'any'; of: readonly Criterion[] }
  | { kind: 'not'; of: Criterion };

/** A criterion of the query itself: what is wrong with it is said about the parameter it was asked by. */
export type NamedCriterion = Criterion & {
  /** Name of the parameter as sent; absent when the address asked (a compartment). */
  asked?: string;
};

/** Comparisons of texts: equal, unequal, contains, starts with, ends with, and by order. */
export type TextOperator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'lt' | 'ge' | 'le';

export interface Include {
  /** Undefined for every type. */
  sourceType?: string;
  /** Undefined for `*`: every reference parameter. */
  parameter?: Parameter;
  targetType?: string;
  reverse: boolean;
  iterate: boolean;
}

export interface SortKey {
  code: string;
  descending: boolean;
}

export type Summary = 'true' | 'text' | 'data' | 'count';

/** How the answer is to be made (https://hl7.org/fhir/R4/search.html#return). */
export interface ResultOptions {
  sort: SortKey[];
  includes: Include[];
  count?: number;
  total?: 'none' | 'estimate' | 'accurate';
  summary?: Summary | 'false';
  elements?: string[];
  cursor?: string;
}

export interface SearchRequest extends ResultOptions {
  /** Types searched, each with what must all hold of its resources. */
  criteria: ReadonlyMap<string, readonly NamedCriterion[]>;
  /** The parameters honoured, as written, without the cursor. */
  honoured: string[];
  /** What was ignored under lenient handling. */
  warnings: OperationOutcomeIssue[];
}
