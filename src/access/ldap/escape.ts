/** Putting a name into a filter (RFC 4515 §3) or a distinguished name (RFC 4514 §2.4) so that it stays a name. */

/** Of the assertion values of a filter: what has a meaning there becomes `\` and two hexadecimal digits. */
function escapeFilterValue(value: string): string {
  return value.replace(/[\\*()\0]/g, (character) => `\\${hex(character)}`);
}

/** Of the attribute values of a distinguished name. */
export function escapeNameValue(value: string): string {
  return value
    .replace(/[\\",+;<>=\0]/g, (character) => `\\${hex(character)}`)
    .replace(/^[ #]|[ ]$/g, (character) => `\\${hex(character)}`);
}

/** `(uid={login})` with the values in their places. Anything else in braces is left alone: it is the operator's. */
export function fillFilter(template: string, values: Readonly<Record<string, string>>): string {
  return fill(template, values, escapeFilterValue);
}

/** `uid={login},ou=people,dc=chu`, or what is not a distinguished name (`{login}@chu.local`, `CHU\{login}`) as it is. */
export function fillBindName(template: string, login: string): string {
  return fill(template, { login }, isDistinguishedName(template) ? escapeNameValue : (value) => value);
}

/** Whether a bind template is a distinguished name and not a user principal name or another form a server knows. */
export function isDistinguishedName(template: string): boolean {
  return /^[A-Za-z][A-Za-z0-9-]*=/.test(template);
}

function fill(template: string, values: Readonly<Record<string, string>>, escaped: (value: string) => string): string {
  return template.replace(/\{([a-z]+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? escaped(values[name] ?? '') : whole,
  );
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}
