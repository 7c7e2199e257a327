/** Line breaking: words of a paragraph into lines no wider than the column, nothing lost, nothing overflowing. */
import type { Typefaces, Weight } from '../typefaces.ts';

export interface TextStyle {
  weight: Weight;
  /** Points. */
  size: number;
  /** Distance between baselines, points. */
  leading: number;
  /** `#rrggbb`. */
  color: string;
}

/**
 * Lines of one paragraph. Breaks at spaces and after a hyphen between letters: a date, a measure or a
 * negative number is never split. A word wider than the column is cut between characters.
 * @param width points
 */
export function wrap(faces: Typefaces, paragraph: string, style: TextStyle, width: number): string[] {
  const measure = (text: string) => faces.width(text, style.weight, style.size);
  const lines: string[] = [];
  let line = '';
  // Words are measured one by one and summed: laying out each growing line again would cost its square.
  let used = 0;
  for (const word of paragraph.split(/(?<= )|(?<=\p{L}-)(?=\p{L})/u)) {
    const bare = word.replace(/(?<! ) +$/, '');
    if (used + measure(bare) <= width) {
      line += word;
      used += measure(word);
      continue;
    }
    if (line.trim() !== '') lines.push(line.trimEnd());
    let rest = word;
    while (measure(rest.trimEnd()) > width) {
      const cut = longestFitting(measure, rest, width);
      lines.push(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
    line = rest;
    used = measure(rest);
  }
  if (line.trim() !== '' || lines.length === 0) lines.push(line.trimEnd());
  return lines;
}

/** Paragraphs of a free text: control characters out, tabs to spaces, composed accents, blank lines dropped. */
export function paragraphs(text: string): string[] {
  return printable(text)
    .split('\n')
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '');
}

/** The text as it can be set: composed, line ends unified, no control characters. */
export function printable(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, ' ')
    .replace(/[^\P{Cc}\n]/gu, '')
    .replace(/\p{Cs}/gu, '\ufffd');
}

function longestFitting(measure: (text: string) => number, text: string, width: number): number {
  let low = 1;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(text.slice(0, middle)) <= width) low = middle;
    else high = middle - 1;
  }
  // Never between the halves of one character.
  const code = text.charCodeAt(low - 1);
  return code >= 0xd800 && code <= 0xdbff ? Math.max(low - 1, 2) : low;
}
