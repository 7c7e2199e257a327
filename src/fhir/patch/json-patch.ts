/** JSON Patch (RFC 6902), as https://hl7.org/fhir/R4/http.html#patch takes it: all operations or none, in order. */
import { forget, hasLiterals, keepLiterals, literalOf, markHolder, remember, shiftLiterals } from '../json/index.ts';
import { patchFault } from './fault.ts';
import { arrayIndex, isJsonObject, type JsonObject, parsePointer, setProperty, valueAt } from './json-pointer.ts';
import { pathOfPointer } from './pointer-path.ts';

/** Each may copy the whole document: a bound on what one request can make us do. */
const maxOperations = 1000;
/** Copies may double a document at every step. */
const maxCopiedValues = 1_000_000;

interface State {
  document: unknown;
  copied: number;
}

/** Where a fault lies: the operation, by its number from 1, and the pointer it works on, in the document as it is then. */
interface Spot {
  operation: number;
  document: unknown;
  path: readonly string[];
}

type Refusal = Parameters<typeof patchFault>;

function refuse(status: Refusal[0], code: Refusal[1], diagnostics: string, at: Spot) {
  return patchFault(
    status,
    code,
    `operation ${at.operation} of the patch: ${diagnostics}`,
    pathOfPointer(at.document, at.path),
  );
}

/** Applies a patch to `document`, which it may change on the way. @throws FhirError 400 malformed, 422 not applicable or a failed test. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw patchFault(400, 'structure', 'a JSON Patch is an array of operations', '$this');
  if (patch.length > maxOperations)
    throw patchFault(400, 'too-costly', `a patch has at most ${maxOperations} operations`, '$this');
  const state: State = { document, copied: 0 };
  for (const [index, operation] of patch.entries()) run(state, operation, index + 1);
  return state.document;
}

/** A value, and of a number how it was written, when that is not how it would be written now. */
interface Source {
  value: unknown;
  text?: string;
}

function run(state: State, operation: unknown, number: number): void {
  const { document } = state;
  const whole: Spot = { operation: number, document, path: [] };
  if (!isJsonObject(operation)) throw refuse(400, 'structure', 'must be an object', whole);
  const pointer = (name: 'path' | 'from') => {
    const segments = parsePointer(operation[name]);
    if (!segments) throw refuse(400, 'invalid', `${name} must be a JSON Pointer`, whole);
    return segments;
  };
  const path = pointer('path');
  const at: Spot = { operation: number, document, path };
  const from = operation.op === 'move' || operation.op === 'copy' ? pointer('from') : [];
  const atFrom: Spot = { operation: number, document, path: from };
  switch (operation.op) {
    case 'add':
      add(state, path, givenValue(operation, at), at);
      return;
    case 'remove':
      remove(state, path, at);
      return;
    case 'replace': {
      const value = givenValue(operation, at);
      if (path.length > 0) remove(state, path, at);
      add(state, path, value, at);
      return;
    }
    case 'move': {
      if (from.length < path.length && startsWith(path, from))
        throw refuse(422, 'invalid', 'a value cannot be moved into itself', at);
      const moved = source(state, from, atFrom);
      if (from.length === path.length && startsWith(path, from)) return;
      remove(state, from, atFrom);
      add(state, path, moved, at);
      return;
    }
    case 'copy': {
      const original = source(state, from, atFrom);
      add(state, path, { ...original, value: copyOf(original.value, state, at) }, at);
      return;
    }
    case 'test':
      if (!isEqual(present(state, path, at), givenValue(operation, at).value))
        throw refuse(422, 'processing', 'the test failed: the value is another one', at);
      return;
    default:
      throw refuse(400, 'not-supported', 'op must be add, remove, replace, move, copy or test', whole);
  }
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((segment, index) => segment === path[index]);
}

function givenValue(operation: JsonObject, at: Spot): Source {
  if (!Object.hasOwn(operation, 'value')) throw refuse(400, 'required', 'value is required', at);
  const { value } = operation;
  const text = typeof value === 'number' ? literalOf(operation, 'value', value) : undefined;
  return { value, ...(text === undefined ? {} : { text }) };
}

function source(state: State, path: readonly string[], at: Spot): Source {
  const value = present(state, path, at);
  const parent = path.length > 0 && valueAt(state.document, path.slice(0, -1))?.value;
  const holder = typeof parent === 'object' && parent !== null ? parent : {};
  const text = typeof value === 'number' ? literalOf(holder, path.at(-1)!, value) : undefined;
  return { value, ...(text === undefined ? {} : { text }) };
}

function present(state: State, path: readonly string[], at: Spot): unknown {
  const found = valueAt(state.document, path);
  if (!found) throw noTarget(at);
  return found.value;
}

function add(state: State, path: readonly string[], added: Source, at: Spot): void {
  const last = path.at(-1);
  if (last === undefined) {
    state.document = added.value;
    return;
  }
  const parent = present(state, path.slice(0, -1), at);
  if (Array.isArray(parent)) {
    const index = arrayIndex(last, parent.length, true);
    if (index === undefined) throw noTarget(at);
    shiftLiterals(parent, index, 1);
    parent.splice(index, 0, added.value);
    keepText(state, path, parent, String(index), added);
  } else if (isJsonObject(parent)) {
    forget(parent, last);
    setProperty(parent, last, added.value);
    keepText(state, path, parent, last, added);
  } else throw noTarget(at);
}

/** The text of a number goes where the number goes. */
function keepText(
  state: State,
  path: readonly string[],
  parent: object,
  property: string,
  { value, text }: Source,
): void {
  if (text !== undefined) remember(parent, property, text);
  else if (!hasLiterals(value)) return;
  for (let length = 0; length < path.length; length++) {
    const ancestor = valueAt(state.document, path.slice(0, length))?.value;
    if (typeof ancestor === 'object' && ancestor !== null) markHolder(ancestor);
  }
}

function remove(state: State, path: readonly string[], at: Spot): void {
  const last = path.at(-1);
  if (last === undefined) throw refuse(422, 'invalid', 'the whole resource cannot be removed', at);
  present(state, path, at);
  const parent = present(state, path.slice(0, -1), at);
  if (Array.isArray(parent)) {
    const index = arrayIndex(last, parent.length)!;
    shiftLiterals(parent, index, -1);
    parent.splice(index, 1);
  } else {
    forget(parent as JsonObject, last);
    delete (parent as JsonObject)[last];
  }
}

function noTarget(at: Spot) {
  return refuse(422, 'not-found', 'the path leads to nothing in this resource', at);
}

function copyOf(value: unknown, state: State, at: Spot): unknown {
  if (++state.copied > maxCopiedValues) throw refuse(422, 'too-costly', 'the patch copies too much', at);
  if (Array.isArray(value))
    return keepLiterals(
      value,
      value.map((item) => copyOf(item, state, at)),
    );
  if (!isJsonObject(value)) return value;
  const copy: JsonObject = {};
  for (const [name, item] of Object.entries(value)) setProperty(copy, name, copyOf(item, state, at));
  return keepLiterals(value, copy);
}

/** RFC 6902 §4.6: numbers by value, objects whatever the order of their members. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]))
  );
}
