/** Longest address printed, characters. */
const longest = 2000;

/** A web address only: nothing else becomes a link in a document that hospitals open. */
export function viewerUrl(url: string | undefined): string | undefined {
  if (!url || url.length > longest || !/^https?:\/\/[^\s]+$/.test(url)) return undefined;
  return URL.canParse(url) ? url : undefined;
}
