/** The sheet: A4 pages with a cursor, text set in embedded faces, every mark either tagged (ISO 19005-1 §6.8) or an artifact. */
import { pdfkit } from '../libraries.ts';
import type { FaceName, Typefaces } from '../typefaces.ts';
import { printable, type TextStyle, wrap } from './lines.ts';

export type Element = PDFKit.PDFStructureElement;

/** Points; A4 is 595.28 × 841.89. */
export const sheet = { width: 595.28, height: 841.89, left: 51, right: 51, top: 36, bottom: 56 } as const;
export const columnWidth = sheet.width - sheet.left - sheet.right;

export interface Canvas {
  readonly doc: PDFKit.PDFDocument;
  readonly faces: Typefaces;
  /** Root of the structure tree. */
  readonly root: Element;
  /** Top of the next block, points from the top of the page. */
  y: number;
}

export interface DocumentInfo {
  title: string;
  author: string;
  subject: string;
  keywords: string;
  /** Creation instant. */
  at: Date;
}

/** Opens an empty PDF/A-1a document; the same information gives the same bytes. */
export function openCanvas(faces: Typefaces, info: DocumentInfo): Canvas {
  const PDFDocument = pdfkit();
  const doc = new PDFDocument({
    autoFirstPage: false,
    bufferPages: true,
    pdfVersion: '1.4',
    subset: 'PDF/A-1a',
    tagged: true,
    lang: 'fr-FR',
    displayTitle: true,
    size: 'A4',
    margin: 0,
    // No standard font may be opened: PDF/A wants every face embedded.
    font: faces.faces.regular as unknown as string,
    info: {
      Title: info.title,
      Author: info.author,
      Subject: info.subject,
      Keywords: info.keywords,
      Creator: 'Passerelle',
      Producer: 'Passerelle',
      CreationDate: info.at,
    },
  });
  for (const [name, face] of Object.entries(faces.faces)) doc.registerFont(name, face as unknown as Buffer);
  doc.addPage();
  const root = doc.struct('Document', { lang: 'fr-FR', title: info.title });
  doc.addStructure(root);
  return { doc, faces, root, y: sheet.top };
}

/** A child element, attached at once so that what it is given is drawn at once. */
export function element(canvas: Canvas, parent: Element, type: string, options: Record<string, unknown> = {}): Element {
  const child = canvas.doc.struct(type, options);
  parent.add(child);
  return child;
}

/** A PDF text string; pdfkit takes bare JavaScript strings for names. */
export function pdfString(text: string): unknown {
  return Object(text);
}

/** Height left on the page above the footer. */
function room(canvas: Canvas): number {
  return sheet.height - sheet.bottom - canvas.y;
}

function newPage(canvas: Canvas): void {
  canvas.doc.addPage();
  canvas.y = sheet.top;
}

/** Starts a new page unless `height` points are left. */
export function ensureRoom(canvas: Canvas, height: number): void {
  if (room(canvas) < height) newPage(canvas);
}

/** Draws something that is no content: rules, fills, running headers. */
export function artifact(canvas: Canvas, draw: () => void, type: 'Layout' | 'Pagination' = 'Layout'): void {
  canvas.doc.markContent('Artifact', { type });
  draw();
  canvas.doc.endMarkedContent();
}

/** Sets one line; `x` its left end (or right end when aligned right), `top` the top of its leading box. */
export function setLine(
  canvas: Canvas,
  text: string,
  style: TextStyle,
  x: number,
  top: number,
  align: 'left' | 'right' = 'left',
): void {
  const { doc, faces } = canvas;
  const clean = printable(text);
  const baseline = top + (style.leading + style.size * 0.72) / 2;
  let pen = align === 'right' ? x - faces.width(clean, style.weight, style.size) : x;
  doc.fillColor(style.color);
  for (const piece of faces.pieces(clean, style.weight)) {
    doc.font(piece.face satisfies FaceName).fontSize(style.size);
    doc.text(piece.text, pen, baseline, { lineBreak: false, baseline: 'alphabetic' });
    pen += faces.width(piece.text, style.weight, style.size);
  }
}

/** Lines of a short text that stays in one place (cells, headers). */
export function setLines(
  canvas: Canvas,
  text: string,
  style: TextStyle,
  box: { x: number; top: number; width: number },
): number {
  const lines = wrap(canvas.faces, printable(text).replaceAll('\n', ' '), style, box.width);
  for (const [index, line] of lines.entries()) {
    setLine(canvas, line, style, box.x, box.top + index * style.leading);
  }
  return lines.length * style.leading;
}

/** A tagged paragraph that flows over pages; at least two lines stay together at the foot and head of a page. */
export function flowParagraph(
  canvas: Canvas,
  parent: Element,
  text: string,
  style: TextStyle,
  options: {
    type?: string;
    x?: number;
    width?: number;
    after?: number;
    beside?: (top: number, height: number) => void;
  } = {},
): void {
  const { type = 'P', x = sheet.left, width = columnWidth, after = 0 } = options;
  const lines = wrap(canvas.faces, printable(text).replaceAll('\n', ' '), style, width);
  const paragraph = element(canvas, parent, type);
  let done = 0;
  while (done < lines.length) {
    let fit = Math.floor(room(canvas) / style.leading);
    const left = lines.length - done;
    if (fit < Math.min(left, 2)) {
      newPage(canvas);
      continue;
    }
    if (left - fit === 1 && fit > 2) fit -= 1;
    const chunk = lines.slice(done, done + fit);
    const top = canvas.y;
    options.beside?.(top, chunk.length * style.leading);
    paragraph.add(() => {
      for (const [index, line] of chunk.entries()) setLine(canvas, line, style, x, top + index * style.leading);
    });
    canvas.y += chunk.length * style.leading;
    done += chunk.length;
    if (done < lines.length) newPage(canvas);
  }
  paragraph.end();
  canvas.y += after;
}

/** The bytes of a document, once it is ended. */
export function collect(doc: PDFKit.PDFDocument): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', () => resolve(Buffer.concat(chunks)));
    doc.on('error', reject);
  });
}
