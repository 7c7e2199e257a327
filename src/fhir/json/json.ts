/** Resources as JSON text and back, decimals as they were written (https://hl7.org/fhir/R4/json.html#primitive). */
import { hasLiterals, literalOf, markHolder, remember } from './literals.ts';
import { countMembers, duplicateMember } from './members.ts';
import { hasUnusualNumber, isUnusual, scan } from './scan.ts';

/** ES2026, in Node since 21; not yet in TypeScript's library. */
interface SourceAccess {
  parse(
    text: string,
    reviver: (this: object, key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
const withSource = JSON as unknown as SourceAccess;

/** As JSON.parse. @throws SyntaxError what is not JSON; FhirError 400, 413 what is deeper or larger than a resource can be. */
export function parseJson(text: string): unknown {
  return hasUnusualNumber(text) ? withSource.parse(text, revive) : JSON.parse(text);
}

/** As `parseJson`, of what somebody sent. @throws FhirError 400 also where an object has a property twice. */
export function parseSentJson(text: string): unknown {
  const { hasUnusualNumber: isUnusualText, members } = scan(text);
  const value = isUnusualText ? withSource.parse(text, revive) : JSON.parse(text);
  if (countMembers(value) !== members) throw duplicateMember(text);
  return value;
}

function revive(this: object, key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value === 'number') {
    if (source !== undefined && isUnusual(source)) remember(this, key, source);
  } else if (hasLiterals(value)) markHolder(this);
  return value;
}

/** As JSON.stringify. @param indent spaces per level; none for one line. */
export function stringifyJson(resource: object, indent?: number): string {
  return JSON.stringify(resource, remembers(resource) ? replace : undefined, indent);
}

function replace(this: object, key: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const text = literalOf(this, key, value);
  return text === undefined ? value : withSource.rawJSON(text);
}

/** Bundles and Parameters are made here around resources that came from elsewhere. */
function remembers(value: unknown): boolean {
  if (hasLiterals(value)) return true;
  const { entry, parameter } = value as { entry?: unknown; parameter?: unknown };
  return hasInside(entry) || hasInside(parameter);
}

function hasInside(parts: unknown): boolean {
  return (
    Array.isArray(parts) &&
    parts.some((part: unknown) => {
      if (typeof part !== 'object' || part === null) return false;
      const { resource } = part as { resource?: unknown };
      return (
        hasLiterals(part) || Object.values(part).some(hasLiterals) || (resource !== undefined && remembers(resource))
      );
    })
  );
}
