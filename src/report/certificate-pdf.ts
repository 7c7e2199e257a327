/** A certificate of the platform (destruction, return) as a signed PDF/A-1: a title, sentences, facts, the platform's signature. */

import type { Signer } from './contract.ts';
import { frenchDate, frenchTime } from './paris-time.ts';
import {
  artifact,
  collect,
  columnWidth,
  element,
  ensureRoom,
  flowParagraph,
  openCanvas,
  setLine,
  setLines,
  sheet,
} from './pdf/canvas.ts';
import { panel } from './pdf/head.ts';
import { accent, look } from './pdf/look.ts';
import { escapeMetadata } from './pdf/metadata.ts';
import { addSignatureField } from './pdf/signature-field.ts';
import { reservedForSignature, signPdf } from './signature/pades.ts';
import { loadTypefaces } from './typefaces.ts';

export interface CertificateText {
  /** Unique; printed and in the metadata. */
  number: string;
  title: string;
  /** Who certifies. */
  issuer: string;
  /** Sentences, French. */
  paragraphs: readonly string[];
  /** Label and value; printed one under the other. */
  facts: readonly (readonly [string, string])[];
  at: Date;
}

/** @throws SigningRefused */
export async function certificatePdf(text: CertificateText, signer: Signer): Promise<Buffer> {
  const canvas = openCanvas(loadTypefaces(), {
    title: text.title,
    author: text.issuer,
    subject: text.title,
    keywords: text.number,
    at: text.at,
  });
  escapeMetadata(canvas.doc);
  const bytes = collect(canvas.doc);
  const section = element(canvas, canvas.root, 'Sect', { title: text.title });
  flowParagraph(canvas, section, text.issuer, look.hospital, { after: 6 });
  artifact(canvas, () => {
    canvas.doc.rect(sheet.left, canvas.y, columnWidth, 1.6).fill(accent);
  });
  canvas.y += 14;
  flowParagraph(canvas, section, text.title, look.title, { type: 'H1', after: 2 });
  flowParagraph(canvas, section, `Certificat ${text.number}`, look.small, { after: 10 });
  for (const paragraph of text.paragraphs) flowParagraph(canvas, section, paragraph, look.body, { after: 6 });
  canvas.y += 6;
  for (const [label, value] of text.facts) {
    flowParagraph(canvas, section, label, look.label);
    flowParagraph(canvas, section, value, look.value, { after: 4 });
  }
  const sentence = `Signé électroniquement par ${text.issuer} le ${frenchDate(text.at)} à ${frenchTime(text.at)} (Europe/Paris)`;
  const padding = 8;
  const height = 2 * look.strong.leading + look.small.leading + 2 * padding;
  canvas.y += 10;
  ensureRoom(canvas, height);
  panel(canvas, canvas.y, height);
  const signed = element(canvas, section, 'P');
  signed.add(() => {
    const box = { x: sheet.left + padding, top: canvas.y + padding, width: columnWidth - 2 * padding };
    const used = setLines(canvas, sentence, look.strong, box);
    setLine(canvas, `Certificat ${text.number}`, look.small, box.x, box.top + used);
  });
  signed.end();
  addSignatureField(canvas, section, {
    ...{ x: sheet.left, y: canvas.y, width: columnWidth, height },
    ...{ signerName: text.issuer, place: text.issuer, reason: text.title, at: text.at, reserved: reservedForSignature },
  });
  section.end();
  canvas.root.end();
  canvas.doc.end();
  return signPdf(await bytes, signer, text.at);
}
