/**
 * Criteria an operation hands on to a search (https://hl7.org/fhir/R4/search.html): they say which resources. What reaches other types
 * would need the right to search those too, and how to answer is the operation's own affair.
 */
const beyondCriteria =
  /^(?:_has|_include|_revinclude|_sort|_count|_total|_summary|_elements|_contained|_containedType|_cursor|_filter|_list|_format|_type)\b|\./;

/** The first of these names that is more than a plain criterion: a chain, `_has`, `_filter`, `_list`, or a parameter about the answer. */
export function notPlain(names: Iterable<string>): string | undefined {
  for (const name of names) if (beyondCriteria.test(name)) return name;
  return undefined;
}
