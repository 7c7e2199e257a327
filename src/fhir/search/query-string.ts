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
    return at < 0
      ? { name: decode(text), value: '', text }
      : { name: decode(text.slice(0, at)), value: decode(text.slice(at + 1)), text };
  });
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid('The query is not valid percent-encoded UTF-8');
  }
  if (decoded.includes('\u0000')) throw invalid('The query has a NUL character');
  return decoded;
}
