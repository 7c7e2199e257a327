/**
 * How far the chains of one query may go. A chain that names no type goes on with every type its reference may point to, 145 for
 * some: a few links would make more criteria than fit into memory, before anybody is asked whether they may search at all.
 */
import { invalid, tooCostly } from './refusals.ts';

/** Most links of one chain: each costs a statement. */
const depthLimit = 10;
/** Most criteria behind links, in one query. Two links without types make 1,457 at most. */
const criteriaLimit = 3_000;

/** Where in its chain a criterion stands, and what all chains of the query may still make. */
export interface Links {
  readonly depth: number;
  readonly budget: { left: number };
}

/** For the beginning of a query: one for all its parameters. */
export function startLinks(): Links {
  return { depth: 0, budget: { left: criteriaLimit } };
}

/** One link further, to one type. @throws FhirError 400 when the chain is too long, 422 `too-costly` when the query is too broad. */
export function nextLink(links: Links): Links {
  if (links.depth >= depthLimit) throw invalid(`A chain has more than ${depthLimit} links`);
  spend(links);
  return { ...links, depth: links.depth + 1 };
}

/** For another criterion at the same place. @throws FhirError 422 `too-costly`. */
export function spend({ budget }: Links): void {
  if (--budget.left >= 0) return;
  throw tooCostly(
    `The chains of this query lead to more than ${criteriaLimit} combinations of types: name the type of each link, as in subject:Patient.name`,
  );
}
