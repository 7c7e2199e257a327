/**
 * The libraries of the report, loaded when the first document is made: together they take 35 MB and 200 ms that a server waiting for
 * its first signature need not have.
 */
import { createRequire } from 'node:module';
import type { DOMParser } from '@xmldom/xmldom';
import type bwip from 'bwip-js/node';
import type { KJUR } from 'jsrsasign';
import type PDFDocument from 'pdfkit';

const load = createRequire(import.meta.url);

export function pdfkit(): typeof PDFDocument {
  return load('pdfkit');
}

export function barcodes(): typeof bwip {
  return load('bwip-js/node');
}

/** Reads our own CDA again before it is signed. */
export function xmlParser(): typeof DOMParser {
  return load('@xmldom/xmldom').DOMParser;
}

/** Certificates (RFC 5280) in ASN.1. */
export function certificates(): typeof KJUR.asn1.x509 {
  return load('jsrsasign').KJUR.asn1.x509;
}
