/** Where the values of a resource's parameters go while it is indexed. */
import type { Interval } from './dates.ts';
import type { KeyKind } from './keys.ts';

export interface Facts {
  /** A key of the parameter at hand. */
  key(kind: KeyKind, ...parts: string[]): void;
  /** A key of a composite's facet. */
  pair(facet: string, forms: readonly string[]): void;
  /** A folded string. */
  string(param: number, value: string): void;
  date(param: number, interval: Interval): void;
  /** `unit` is a text of units.ts; undefined for the number whatever its unit. */
  number(param: number, unit: string | undefined, lo: number, hi: number): void;
}

export type AddKey = Facts['key'];
