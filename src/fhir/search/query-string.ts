/** The query of a search as sent (application/x-www-form-urlencoded), taken apart within limits. */
import { invalid } from './refusals.ts';

export interface QueryPair {
  name: string;
  value: string;
  /** As written, for the links of the answer. */
  text: string;
}

/** Most parameters one query may carry, and the longest query in characters. */
const parameterLimit = 100;
const queryLimit = 64 * 1024;

/** @throws FhirError 400 for what is no UTF-8, or more than is read. */
export function readPairs(query: string): QueryPair[] {
  if (query.length > queryLimit) throw invalid(`The query is longer than ${queryLimit} characters`);
  const texts = query.split('&').filter((text) => text !== '');
  if (texts.length > parameterLimit) throw invalid(`More than ${parameterLimit} search parameters`);
  return texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 0) return { name: decode(text), value: '', text };
    const name = decode(text.slice(0, at));
    return { name, value: decode(text.slice(at + 1), name), text };
  });
}

/** @param name of the parameter, when it is its value. */
function decode(text: string, name?: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid('The query is not valid percent-encoded UTF-8', name);
  }
  if (decoded.includes('\u0000')) throw invalid('The query has a NUL character', name);
  return decoded;
}
