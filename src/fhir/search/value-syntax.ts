/** How tokens and quantities are written in a search (https://hl7.org/fhir/R4/search.html#token, #quantity), alone or in a composite. */
import { numberTest } from './comparisons.ts';
import { splitBars } from './escapes.ts';
import { type KeyKind, keyKind } from './keys.ts';
import type { Parameter } from './parameters.ts';
import { invalid } from './refusals.ts';
import { literalUnit } from './units.ts';
import type { RangeTest } from './value-test.ts';

/** Surroundings of a test: whose keys, and the moment `ap` is relative to. */
export interface TestScope {
  tenant: string;
  nowMs: number;
  types: ReadonlySet<string>;
}

/** Kind and parts of the key of `code`, `system|code`, `|code` or `system|`. */
export function tokenKey({ code: name }: { code: string }, value: string): [KeyKind, ...string[]] {
  const [first, second, ...rest] = splitBars(value) as [string, string?, ...string[]];
  if (rest.length > 0 || (first === '' && !second)) {
    throw invalid(`${name}: a token is code, system|code, |code or system|`);
  }
  if (second === undefined) return [keyKind.value, first];
  return second === '' ? [keyKind.system, first] : [keyKind.systemValue, first, second];
}

/** The same as keys that are stored: of elements of type `code`, whose system only their value set says, the code alone is. */
export function storedTokens(parameter: Parameter, value: string): [KeyKind, ...string[]][] {
  const [kind, system = '', code] = tokenKey(parameter, value);
  if (kind === keyKind.value) return [[kind, system]];
  const implied = impliedCodes(parameter, system);
  if (kind === keyKind.system) return [[kind, system], ...Array.from(implied, (each) => withoutSystem(each))];
  return storedCoding(parameter, system, code!);
}

/** Keys of a code of a system. */
export function storedCoding(parameter: Parameter, system: string, code: string): [KeyKind, ...string[]][] {
  const literal: [KeyKind, ...string[]] = [keyKind.systemValue, system, code];
  return impliedCodes(parameter, system).has(code) ? [literal, withoutSystem(code)] : [literal];
}

function withoutSystem(code: string): [KeyKind, ...string[]] {
  return [keyKind.systemValue, '', code];
}

const none: ReadonlySet<string> = new Set();

function impliedCodes({ shared, resourceType, expression }: Parameter, system: string): ReadonlySet<string> {
  return shared.impliedCodes(resourceType, expression, system) ?? none;
}

/** Range and unit of `5.4`, `5.4||mg` or `5.4|http://unitsofmeasure.org|mg`, with a prefix. */
export function quantityTest(
  { code: name, type, shared }: Pick<Parameter, 'code' | 'type' | 'shared'>,
  value: string,
): { range: RangeTest; unit?: string } {
  const [number, system, code, ...rest] = splitBars(value) as [string, string?, string?, ...string[]];
  const units = system !== undefined;
  if (rest.length > 0 || (units && (type === 'number' || code === undefined || (system !== '' && code === '')))) {
    throw invalid(`${name} takes ${type === 'number' ? 'a number' : 'number, number||code or number|system|code'}`);
  }
  if (!code) return { range: numberTest(name, number) };
  if (system === '') return { range: numberTest(name, number), unit: literalUnit(code) };
  const { text, convert } = shared.units.compared(system!, code);
  return { range: numberTest(name, number, convert), unit: text };
}
