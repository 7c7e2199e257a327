/** Where references and addresses lead from a page: below our base to our own pages, elsewhere only over the web. */
import { type Html, html } from './html.ts';

/** `/fhir` of `https://host/fhir`: links work by whatever name the page was reached. */
export function pathOf(base: string): string {
  return new URL(base).pathname.replace(/\/$/, '');
}

const relativeReference =
  /^[A-Z][A-Za-z]{1,63}(?:\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?)?(?:\?[^#\s]*)?$/;

/** @returns the address a browser may follow, undefined when the text is none. */
export function hrefOf(text: string, base: string): string | undefined {
  if (text === base || text.startsWith(`${base}/`) || text.startsWith(`${base}?`))
    return pathOf(base) + text.slice(base.length);
  if (relativeReference.test(text)) return `${pathOf(base)}/${text}`;
  return isWebAddress(text) ? text : undefined;
}

export function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** The text, as a link when it leads somewhere. */
export function link(text: string, base: string, shown: string | Html = text): Html {
  const href = hrefOf(text, base);
  return href === undefined ? html`${shown}` : html`<a href="${href}">${shown}</a>`;
}
