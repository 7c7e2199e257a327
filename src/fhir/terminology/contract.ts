/**
 * What the terminology of a tenant answers the other parts of the FHIR room: searches (`:in`, `:above`, `:below`), validation
 * (bindings) and the operations. Concepts come from stored CodeSystem, ValueSet and ConceptMap resources of the tenant, from the
 * definitions of R4 and of `fhir-profiles/`, and from large systems loaded from their official files.
 */
import type { Sql } from '../../db/index.ts';

/** One code of one system. */
export interface Coding {
  system: string;
  code: string;
}

/** What is known of a code in a value set or system. `undefined` answers mean that the value set or system itself is not known here. */
export interface CodeValidity {
  valid: boolean;
  /** Preferred display, where the concept has one. */
  display?: string;
  /** True when the concept is marked inactive or deprecated. */
  inactive?: boolean;
}

export interface Terminology {
  /**
   * Codes of a value set, for searches by `:in`.
   * @param valueSet canonical URL (`|version` allowed), or `ValueSet/[id]` of the tenant.
   * @returns undefined when the value set is not known. @throws FhirError 422 `too-costly` above `limit` codes.
   */
  expand(tenant: string, valueSet: string, limit?: number): Promise<readonly Coding[] | undefined>;
  /** The code itself and everything subsumed by it (`below`) or subsuming it (`above`); `undefined` when system or code is unknown. */
  related(tenant: string, coding: Coding, direction: 'above' | 'below'): Promise<readonly string[] | undefined>;
  validateCode(
    tenant: string,
    question: { valueSet?: string; system?: string; code: string; display?: string },
  ): Promise<CodeValidity | undefined>;
  /** The same answers over this connection of the tenant: inside a transaction, so that its own writes count and no second connection is held. */
  over(sql: Sql): Terminology;
}
