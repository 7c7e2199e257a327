/** JSON Patch (RFC 6902), as https://hl7.org/fhir/R4/http.html#patch takes it: all operations or none, in order. */
import { hasLiterals, keepLiterals, literalOf, markHolder, remember } from '../json/index.ts';
import { patchFault } from './fault.ts';
import { arrayIndex, isJsonObject, type JsonObject, parsePointer, setProperty, valueAt } from './json-pointer.ts';

/** Each may copy the whole document: a bound on what one request can make us do. */
const maxOperations = 1000;
/** Copies may double a document at every step. */
const maxCopiedValues = 1_000_000;

interface State {
  document: unknown;
  copied: number;
}

/** Applies a patch to `document`, which it may change on the way. @throws FhirError 400 malformed, 422 not applicable or a failed test. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw patchFault(400, 'structure', 'a JSON Patch is an array of operations', '$this');
  if (patch.length > maxOperations)
    throw patchFault(400, 'too-costly', `a patch has at most ${maxOperations} operations`, '$this');
  const state: State = { document, copied: 0 };
  for (const [index, operation] of patch.entries()) run(state, operation, `[${index}]`);
  return state.document;
}

/** A value and where it came from: the object there remembers how a number was written. */
interface Source {
  value: unknown;
  holder?: object;
  property?: string;
}

function run(state: State, operation: unknown, at: string): void {
  if (!isJsonObject(operation)) throw patchFault(400, 'structure', 'must be an object', at);
  const path = parsePointer(operation.path, `${at}.path`);
  const from = operation.op === 'move' || operation.op === 'copy' ? parsePointer(operation.from, `${at}.from`) : [];
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
        throw patchFault(422, 'invalid', 'a value cannot be moved into itself', at);
      const moved = source(state, from, `${at}.from`);
      if (from.length === path.length && startsWith(path, from)) return;
      remove(state, from, `${at}.from`);
      add(state, path, moved, at);
      return;
    }
    case 'copy': {
      const original = source(state, from, `${at}.from`);
      add(state, path, { ...original, value: copyOf(original.value, state, at) }, at);
      return;
    }
    case 'test':
      if (!isEqual(present(state, path, at), givenValue(operation, at).value))
        throw patchFault(422, 'processing', 'the test failed: the value is another one', at);
      return;
    default:
      throw patchFault(400, 'not-supported', 'op must be add, remove, replace, move, copy or test', `${at}.op`);
  }
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((segment, index) => segment === path[index]);
}

function givenValue(operation: JsonObject, at: string): Source {
  if (!Object.hasOwn(operation, 'value')) throw patchFault(400, 'required', 'is required', `${at}.value`);
  return { value: operation.value, holder: operation, property: 'value' };
}

function source(state: State, path: readonly string[], at: string): Source {
  const value = present(state, path, at);
  const parent = path.length > 0 && valueAt(state.document, path.slice(0, -1))?.value;
  return isJsonObject(parent) ? { value, holder: parent, property: path.at(-1) } : { value };
}

function present(state: State, path: readonly string[], at: string): unknown {
  const found = valueAt(state.document, path);
  if (!found) throw noTarget(at);
  return found.value;
}

function add(state: State, path: readonly string[], added: Source, at: string): void {
  const last = path.at(-1);
  if (last === undefined) {
    state.document = added.value;
    return;
  }
  const parent = present(state, path.slice(0, -1), at);
  if (Array.isArray(parent)) {
    const index = arrayIndex(last, parent.length, true);
    if (index === undefined) throw noTarget(at);
    parent.splice(index, 0, added.value);
  } else if (isJsonObject(parent)) setProperty(parent, last, added.value);
  else throw noTarget(at);
  keepText(state, path, parent, added);
}

/** The text of a number goes where the number goes. */
function keepText(state: State, path: readonly string[], parent: object, { value, holder, property }: Source): void {
  const text = holder && typeof value === 'number' ? literalOf(holder, property!, value) : undefined;
  if (text !== undefined && !Array.isArray(parent)) remember(parent, path.at(-1)!, text);
  else if (!hasLiterals(value)) return;
  for (let length = 0; length < path.length; length++) {
    const ancestor = valueAt(state.document, path.slice(0, length))?.value;
    if (typeof ancestor === 'object' && ancestor !== null) markHolder(ancestor);
  }
}

function remove(state: State, path: readonly string[], at: string): void {
  const last = path.at(-1);
  if (last === undefined) throw patchFault(422, 'invalid', 'the whole resource cannot be removed', at);
  present(state, path, at);
  const parent = present(state, path.slice(0, -1), at);
  if (Array.isArray(parent)) parent.splice(arrayIndex(last, parent.length)!, 1);
  else delete (parent as JsonObject)[last];
}

function noTarget(at: string) {
  return patchFault(422, 'not-found', 'the path leads to nothing in this resource', at);
}

function copyOf(value: unknown, state: State, at: string): unknown {
  if (++state.copied > maxCopiedValues) throw patchFault(422, 'too-costly', 'the patch copies too much', at);
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
