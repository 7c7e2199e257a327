/** Characters that XML would read otherwise (https://www.w3.org/TR/xml/#syntax, #AVNormalize). */

const special = /[&<>"\t\n\r]/;
// Not in XML 1.0 in any spelling; resources are checked for them before they are stored.
const illegal = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // Written as they are, a reader makes spaces of them.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** For the value of an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  const legal = text.replace(illegal, '\ufffd');
  return special.test(legal) ? legal.replace(/[&<>"\t\n\r]/g, (character) => references[character]!) : legal;
}

/** For text between tags. */
export function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => references[character]!);
}
