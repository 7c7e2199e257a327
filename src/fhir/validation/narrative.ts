/**
 * Narrative is XHTML that any client may put on a screen: only formatting passes
 * (https://hl7.org/fhir/R4/narrative.html#xhtml, invariant txt-1; txt-2, some content, is left out: official examples break it).
 */
import { hasIllegalCharacter, maxStringLength } from './primitives.ts';
import { scanXhtml, type XhtmlTag } from './xhtml-scanner.ts';

const namespace = 'http://www.w3.org/1999/xhtml';

/** HTML 4.0 chapters 7 to 11 without section 4 of chapter 9, and 15; anchors; images. */
const elements = new Set(
  (
    'a abbr acronym address b bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em font h1 h2 h3 ' +
    'h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var'
  ).split(' '),
);

const attributes = new Set(
  (
    'xmlns xml:lang xml:space lang dir id class style title name href rel rev hreflang type accesskey tabindex charset shape coords src alt ' +
    'longdesc height width usemap ismap abbr axis headers scope rowspan colspan span align valign char charoff nowrap bgcolor ' +
    'border cellpadding cellspacing frame rules summary compact start value cite datetime clear noshade size color face hspace vspace'
  ).split(' '),
);

/** Where a link may lead. A scheme not listed (javascript, vbscript, data, …) is refused. */
const linkSchemes = new Set(['http', 'https', 'mailto', 'tel', 'ftp', 'urn']);
const imageSchemes = new Set(['http', 'https', 'cid']);

/** @returns what is wrong, in words that do not repeat the content; undefined when it is safe. */
export function narrativeProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  if (value.length > maxStringLength) return `must not be longer than ${maxStringLength} characters`;
  if (hasIllegalCharacter(value)) return 'must not contain control characters or broken Unicode';
  return scanXhtml(value, (tag, depth) => (depth === 0 ? rootProblem(tag) : tagProblem(tag)));
}

function rootProblem(tag: XhtmlTag): string | undefined {
  if (tag.name !== 'div') return 'must be one <div>';
  if (tag.attributes.find(([name]) => name === 'xmlns')?.[1] !== namespace)
    return `the <div> must be in the namespace ${namespace}`;
  return tagProblem(tag);
}

function tagProblem(tag: XhtmlTag): string | undefined {
  if (!elements.has(tag.name)) return 'has an element that narrative may not have';
  for (const [name, value] of tag.attributes) {
    if (!attributes.has(name)) return `<${tag.name}> has an attribute that narrative may not have`;
    if (name === 'xmlns' && value !== namespace) return 'has an element of another namespace';
    if ((name === 'href' || name === 'cite' || name === 'longdesc') && !hasScheme(value, linkSchemes)) {
      return `<${tag.name}> has a link of a scheme that narrative may not have`;
    }
    if (
      name === 'src' &&
      !hasScheme(value, imageSchemes) &&
      !/^data:\s*image\/(?:png|jpeg|gif|webp)[;,]/i.test(value)
    ) {
      return '<img> has a source that narrative may not have';
    }
    if (name === 'style' && isUnsafeStyle(value)) return `<${tag.name}> has a style that loads or runs something`;
  }
  return undefined;
}

const ignoredByBrowsers = /[\s\p{Cc}]/gu;

/** Browsers drop control characters and white space inside a scheme, so they go before it is looked at. */
function hasScheme(url: string, allowed: ReadonlySet<string>): boolean {
  const compact = url.replace(ignoredByBrowsers, '');
  const scheme = /^([^:/?#]*):/.exec(compact)?.[1];
  return scheme === undefined || allowed.has(scheme.toLowerCase());
}

/** Pictures that come with the narrative: the tables of HL7's own narratives have them as background. */
const ownPicture =
  /url\(\s*(['"]?)(?:data:\s*image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*|[\w-][\w./-]*)\1\s*\)/gi;

/** CSS that fetches from elsewhere, computes or hides behind escapes. */
function isUnsafeStyle(css: string): boolean {
  const style = css.includes('(') ? css.replace(ownPicture, 'none') : css;
  return /\\|url\s*\(|@import|expression\s*\(|behavior\s*:|-moz-binding|image-set|\/\*/i.test(style);
}
