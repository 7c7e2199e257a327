/**
 * Names in a JSON object are unique (https://hl7.org/fhir/R4/json.html): of a name said twice the parser keeps the last value, and the
 * other one, which another reader may have gone by, would be lost in silence.
 */
import { FhirError } from '../contract.ts';

/** Members of all objects inside a parsed value. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += countMembers(item);
  else for (const name in value) count += 1 + countMembers((value as Record<string, unknown>)[name]);
  return count;
}

/** An object or an array whose end was not seen yet. */
interface Open {
  /** Of an object. */
  names?: Set<string>;
  /** Step from here to what is being read: a name, or an index. */
  step: string | number;
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],]/gs;

/** Names the first member that is said twice. @param text well-formed JSON that has one. */
export function duplicateMember(text: string): FhirError {
  const open: Open[] = [];
  for (const { 0: token, index } of text.matchAll(tokens)) {
    const inside = open.at(-1);
    if (token === '{') open.push({ names: new Set(), step: '' });
    else if (token === '[') open.push({ step: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',') {
      if (typeof inside?.step === 'number') inside.step++;
    } else if (inside?.names && isName(text, index + token.length)) {
      inside.step = JSON.parse(token) as string;
      if (inside.names.has(inside.step)) return refusal(text, open);
      inside.names.add(inside.step);
    }
  }
  return refusal(text, []);
}

/** A text in an object is the name of a member when a colon follows. */
function isName(text: string, end: number): boolean {
  return /^\s*:/.test(text.slice(end));
}

/** Names from outside are repeated only when they are plain names. */
function refusal(text: string, open: readonly Open[]): FhirError {
  const root = /^\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]{1,64})"/.exec(text)?.[1];
  const steps = open.map(({ step }) => step);
  const isPlain = steps.every((step) => typeof step === 'number' || /^_?[A-Za-z][A-Za-z0-9]{0,63}$/.test(step));
  const expression =
    root && isPlain && steps.length > 0
      ? steps.reduce<string>((path, step) => path + (typeof step === 'number' ? `[${step}]` : `.${step}`), root)
      : undefined;
  return new FhirError(400, 'structure', 'a property is given twice in one object', expression);
}
