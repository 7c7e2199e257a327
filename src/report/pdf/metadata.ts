/** XMP packet of PDF/A-1 (ISO 19005-1 §6.7): the same facts as the information dictionary, escaped. */

interface Info {
  Title: string;
  Author: string;
  Subject: string;
  Keywords: string;
  Creator: string;
  Producer: string;
  CreationDate: Date;
}

/** pdfkit writes the information into the packet without escaping; these are the members that do it. */
interface MetadataWriter {
  info: Info;
  appendXML(xml: string, newline?: boolean): void;
  _addInfo(): void;
}

/** Makes the document write its packet from escaped values. */
export function escapeMetadata(doc: PDFKit.PDFDocument): void {
  const writer = doc as unknown as MetadataWriter;
  writer._addInfo = () => writer.appendXML(packet(writer.info), false);
}

function packet(info: Info): string {
  const date = `${info.CreationDate.toISOString().slice(0, 19)}Z`;
  const alternative = (value: string) => `<rdf:Alt><rdf:li xml:lang="x-default">${escapeXmp(value)}</rdf:li></rdf:Alt>`;
  return [
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">',
    `<xmp:CreateDate>${date}</xmp:CreateDate><xmp:CreatorTool>${escapeXmp(info.Creator)}</xmp:CreatorTool>`,
    '</rdf:Description>',
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">',
    `<dc:title>${alternative(info.Title)}</dc:title>`,
    `<dc:creator><rdf:Seq><rdf:li>${escapeXmp(info.Author)}</rdf:li></rdf:Seq></dc:creator>`,
    `<dc:description>${alternative(info.Subject)}</dc:description>`,
    '</rdf:Description>',
    '<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">',
    `<pdf:Producer>${escapeXmp(info.Producer)}</pdf:Producer><pdf:Keywords>${escapeXmp(info.Keywords)}</pdf:Keywords>`,
    '</rdf:Description>',
  ].join('\n');
}

function escapeXmp(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
