/** Rules of single types that FHIRPath does not say, or says at a price: checked after the structure of each instance. */
import { checkBundle } from './bundle-rules.ts';
import { type Check, isObject, report } from './run.ts';

/**
 * ext-1 (https://hl7.org/fhir/R4/extensibility.html#Extension): a value or nested extensions, never both, never neither; an absolute
 * address, except inside another extension; and what its definition says, where that is known.
 */
const extension: Check = (value, run) => {
  if (!isObject(value)) return;
  const hasValue = Object.keys(value).some((property) => property.startsWith('value') || property.startsWith('_value'));
  if (hasValue === (value.extension !== undefined)) {
    report(
      run,
      'invariant',
      hasValue ? 'must not have both a value and extensions' : 'must have a value or extensions',
    );
  }
  const { url } = value;
  if (typeof url !== 'string') return;
  if (!isAbsolute(url) && !isNested(run.path)) report(run, 'value', 'must be an absolute address', 'url');
  run.profiles?.extension(url)?.(value, run);
};

/** `…extension[0].extension[1]`. */
function isNested(path: readonly (string | number)[]): boolean {
  return path.at(-4) === 'extension' || path.at(-4) === 'modifierExtension';
}

function isAbsolute(address: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(address);
}

/** Systems of codes and identifiers are absolute (https://hl7.org/fhir/R4/datatypes.html#Coding); a value set is no system. */
const system: Check = (value, run) => {
  if (!isObject(value) || typeof value.system !== 'string') return;
  if (!isAbsolute(value.system)) report(run, 'value', 'must be an absolute address', 'system');
  else if (value.system.startsWith('http://hl7.org/fhir/ValueSet/'))
    report(run, 'value', 'must be a code system, not a value set', 'system');
};

/**
 * A URI as identifier is a whole one (https://hl7.org/fhir/R4/datatypes.html#Identifier). Definitions of R4 itself break this and the
 * next rule: what is wrong of them is told by $validate, and no reason to refuse a write.
 */
const identifier: Check = (value, run) => {
  system(value, run);
  if (!run.withWarnings || !isObject(value) || value.system !== 'urn:ietf:rfc:3986') return;
  if (typeof value.value === 'string' && !isAbsolute(value.value))
    report(run, 'value', 'must be a URI, as its system says', 'value');
};

const selection: Check = (value, run) => {
  if (run.withWarnings) system(value, run);
};

/** The size told is the size of the data that is there (https://hl7.org/fhir/R4/datatypes.html#Attachment). */
const attachment: Check = (value, run) => {
  if (!isObject(value) || typeof value.size !== 'number' || typeof value.data !== 'string') return;
  const octets = Buffer.byteLength(value.data.replace(/\s+/g, ''), 'base64');
  if (octets !== value.size) report(run, 'value', 'must be the number of octets of the data', 'size');
};

/** By type. */
export function typeRules(isResourceType: (name: string) => boolean): Readonly<Record<string, Check>> {
  return {
    Extension: extension,
    Coding: system,
    Identifier: identifier,
    'ValueSet.compose.include': selection,
    'ValueSet.compose.exclude': selection,
    Attachment: attachment,
    Bundle: (value, run) => checkBundle(value, run, isResourceType),
  };
}
