/** A resource's narrative as part of our page (https://hl7.org/fhir/R4/narrative.html): what the whitelist passes, written as HTML. */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { narrativeProblem } from '../validation/narrative.ts';
import { escapeHtml, type Html, trusted } from './html.ts';
import { hrefOf } from './links.ts';

/** What reads the same without the author's style, which our pages do not take over. */
const attributes = new Set(
  'title lang dir alt href src cite datetime start value colspan rowspan span scope headers abbr width height'.split(
    ' ',
  ),
);
const voidElements = new Set(['br', 'hr', 'img', 'col']);

/** @returns undefined when the narrative is not safe to show. */
export function narrativeView(div: string, base: string): Html | undefined {
  if (narrativeProblem(div) !== undefined) return undefined;
  let text = '';
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on('opentag', (tag) => {
    text += `<${tag.local}${attributesOf(tag, base)}>`;
  });
  parser.on('closetag', (tag) => {
    if (!voidElements.has(tag.local)) text += `</${tag.local}>`;
  });
  parser.on('text', (content) => {
    text += escapeHtml(content);
  });
  parser.write(div).close();
  return trusted(text);
}

function attributesOf(tag: SaxesTagNS, base: string): string {
  return Object.values(tag.attributes)
    .filter(({ name }) => attributes.has(name))
    .map(({ name, value }) => [name, name === 'href' ? hrefOf(value, base) : safeSource(name, value)])
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeHtml(value)}"`))
    .join('');
}

/** Pictures from elsewhere would tell that site who looks at what. */
function safeSource(name: string, value: string): string | undefined {
  return name === 'src' && !value.startsWith('data:image/') ? undefined : value;
}
