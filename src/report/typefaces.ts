/**
 * The typefaces of the report. Open Sans sets the text; DejaVu Sans lends it the signs Open Sans has not (arrows, check marks,
 * mathematics, other alphabets), so that no character a radiologist typed is lost on paper. Parsed once, subset per document.
 */
import { fileURLToPath } from 'node:url';
import { pdfkit } from './libraries.ts';

/** What we use of a parsed font. */
export interface ParsedFont {
  hasGlyphForCodePoint(codePoint: number): boolean;
  layout(text: string): { advanceWidth: number };
  readonly unitsPerEm: number;
}

export type Weight = 'regular' | 'semibold';
/** Name under which a face is registered in a document. */
export type FaceName = Weight | 'fallback';

export interface Typefaces {
  readonly faces: Readonly<Record<FaceName, ParsedFont>>;
  /** Width of a text in points, its pieces set in the faces that have their signs. */
  width(text: string, weight: Weight, size: number): number;
  /** Pieces of a text with the face of each. */
  pieces(text: string, weight: Weight): { text: string; face: FaceName }[];
  /** First character that no face has, `undefined` when the whole text can be printed. */
  unprintable(text: string): string | undefined;
}

const files: Record<FaceName, string> = {
  regular: 'OpenSans-Regular.ttf',
  semibold: 'OpenSans-Semibold.ttf',
  fallback: 'DejaVuSans.ttf',
};

/** Words remembered before a memory is emptied (a few megabytes); a report has some hundred different ones. */
const measuredWords = 20_000;

/** Reads and parses the font files (about 2 ms each). */
export function loadTypefaces(): Typefaces {
  const faces = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [
      name,
      parse(fileURLToPath(new URL(`fonts/${file}`, import.meta.url))),
    ]),
  ) as Record<FaceName, ParsedFont>;
  const known = new Map<string, number>();

  /** Advance of one word in thousandths of an em; words repeat, laying out glyphs is what costs. */
  const advance = (word: string, face: FaceName): number => {
    const key = `${face}\u0000${word}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const font = faces[face];
    const value = (font.layout(word).advanceWidth * 1000) / font.unitsPerEm;
    if (known.size >= measuredWords) known.clear();
    known.set(key, value);
    return value;
  };

  const faceOf = (character: string, weight: Weight): FaceName =>
    faces[weight].hasGlyphForCodePoint(character.codePointAt(0)!) ? weight : 'fallback';

  const pieces = (text: string, weight: Weight) => {
    const out: { text: string; face: FaceName }[] = [];
    for (const character of text) {
      const last = out.at(-1);
      // A space goes with what precedes it: it must not split a run of borrowed signs.
      const face = character === ' ' && last ? last.face : faceOf(character, weight);
      if (last?.face === face) last.text += character;
      else out.push({ text: character, face });
    }
    return out;
  };

  const width = (text: string, weight: Weight, size: number) =>
    (pieces(text, weight).reduce(
      (sum, piece) => sum + piece.text.split(/(?<= )/).reduce((part, word) => part + advance(word, piece.face), 0),
      0,
    ) *
      size) /
    1000;

  const unprintable = (text: string) =>
    [...text].find((character) => {
      const code = character.codePointAt(0)!;
      return code >= 0x20 && !faces.regular.hasGlyphForCodePoint(code) && !faces.fallback.hasGlyphForCodePoint(code);
    });

  return { faces, width, pieces, unprintable };
}

/** pdfkit accepts a font already parsed by its own parser: borrow that parser through an empty document. */
function parse(path: string): ParsedFont {
  const PDFDocument = pdfkit();
  const scratch = new PDFDocument({ font: path, autoFirstPage: false });
  return rememberingLayout((scratch as unknown as { _font: { font: ParsedFont } })._font.font);
}

interface GlyphRun {
  glyphs: unknown[];
  positions: Record<string, number>[];
  advanceWidth: number;
}

/**
 * The font with a memory of words laid out: shaping is half the cost of a report, and reports share most of their words. Positions
 * are copied at every use because pdfkit scales them in place.
 */
function rememberingLayout(font: ParsedFont): ParsedFont {
  const known = new Map<string, GlyphRun>();
  const signs = new Map<number, boolean>();
  const layout = (text: string): GlyphRun => {
    let run = known.get(text);
    if (!run) {
      const { glyphs, positions, advanceWidth } = font.layout(text) as GlyphRun;
      run = { glyphs, positions, advanceWidth };
      if (known.size >= measuredWords) known.clear();
      known.set(text, run);
    }
    return { ...run, positions: run.positions.map((position) => ({ ...position })) };
  };
  const hasGlyphForCodePoint = (codePoint: number): boolean => {
    const remembered = signs.get(codePoint);
    if (remembered !== undefined) return remembered;
    const found = font.hasGlyphForCodePoint(codePoint);
    if (signs.size < measuredWords) signs.set(codePoint, found);
    return found;
  };
  return Object.defineProperties(Object.create(font) as ParsedFont, {
    layout: { value: layout },
    hasGlyphForCodePoint: { value: hasGlyphForCodePoint },
  });
}
