/** What the document is made from, and what it is made of. */
import type { StructureFile } from '../definitions/structure-file.ts';

/** An object of the OpenAPI document. */
export type Item = Record<string, unknown>;
/** By path, then by method in lower case. */
export type Paths = Record<string, Item>;

export interface ApiRoute {
  method: string;
  /** Segments below the base: `:type :id :versionId :compartment :member` are values, `$` an operation. */
  path: string;
  /** Code of the interaction. */
  code: string;
  isPublic: boolean;
}

export interface ApiOperation {
  name: string;
  /** Undefined: offered on every type (or on the system). */
  type?: string;
  level: 'instance' | 'type' | 'system';
  affectsState: boolean;
}

export interface ApiDescription {
  /** Service base URL, without a slash at the end. */
  base: string;
  /** Of the software. */
  version: string;
  routes: readonly ApiRoute[];
  operations: readonly ApiOperation[];
  types: readonly string[];
  compartments: Iterable<string>;
  /** Whether an interaction is offered on a type. */
  offers(type: string, code: string): boolean;
  structure: StructureFile;
  parameters(type: string): readonly { name: string; type: string }[];
}
