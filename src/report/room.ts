/** The report room: one model of the report, checked, laid out, signed and wrapped. */
import { createHash } from 'node:crypto';
import { cdaDocument } from './cda/document.ts';
import { loadCdaTables } from './cda/tables.ts';
import type { ReportIssue, ReportRoom } from './contract.ts';
import { lintReport } from './lint/lint.ts';
import { reportModel } from './model.ts';
import { reportPdf } from './pdf/report-pdf.ts';
import { reservedForSignature, signPdf } from './signature/pades.ts';
import { loadTypefaces, type Typefaces } from './typefaces.ts';

/** A draft that must not be signed; `issues` say why, in French. */
export class ReportRefused extends Error {
  override readonly name = 'ReportRefused';
  readonly issues: ReportIssue[];
  constructor(issues: ReportIssue[]) {
    super(`report refused: ${issues.map((issue) => issue.code).join(', ')}`);
    this.issues = issues;
  }
}

/** Reads the tables now and the typefaces once, for the first report; between two reports only the shapes of single words are remembered. */
export function createReportRoom(): ReportRoom {
  const tables = loadCdaTables();
  let parsed: Typefaces | undefined;
  const typefaces = () => {
    parsed ??= loadTypefaces();
    return parsed;
  };
  return {
    lint: (input) => lintReport(reportModel(input, tables), typefaces()),
    async build(input, signer) {
      const model = reportModel(input, tables);
      const faces = typefaces();
      // The caller lints first; a document with a blocking fault is refused here too.
      const errors = lintReport(model, faces).filter((issue) => issue.severity === 'error');
      if (errors.length > 0) throw new ReportRefused(errors);
      const pdf = signPdf(await reportPdf(model, tables, faces, reservedForSignature), signer, input.signedAt);
      const cda = cdaDocument(model, tables, pdf);
      return { pdf, pdfSha256: sha256(pdf), cda, cdaSha256: sha256(cda), title: model.title };
    },
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
