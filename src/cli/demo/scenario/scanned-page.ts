/** A page somebody scanned, as a PDF. */
export async function scannedPage(title: string, lines: readonly string[]): Promise<Buffer> {
  const { default: PdfDocument } = await import('pdfkit');
  const page = new PdfDocument({ size: 'A4', margin: 60, info: { Title: title } });
  const parts: Buffer[] = [];
  page.on('data', (part: Buffer) => parts.push(part));
  const done = new Promise<void>((resolve) => page.on('end', resolve));
  page.fontSize(16).text(title).moveDown().fontSize(11);
  for (const line of lines) page.text(line);
  page.end();
  await done;
  return Buffer.concat(parts);
}
