/** What the report room promises: one model of the report, rendered as a signed PDF/A-1 and as CDA R2, byte-stable. */
import type { ImagingStudy, Organization, Patient, Practitioner, ServiceRequest } from '@medplum/fhirtypes';

/** The four chapters a French imaging report must have (RP-1); plain text, `\n` between paragraphs. */
export interface ReportText {
  indication: string;
  /** Technique, with dose and contrast product. */
  technique: string;
  results: string;
  conclusion: string;
}

/** What the document is of another remote act than imaging (WF-13): its type, its name, the headings of the four chapters. */
export interface DocumentForm {
  /** LOINC. */
  type: { code: string; display: string };
  name: string;
  chapters: Record<keyof ReportText, string>;
}

/** Everything the documents are made of. The resources are current versions. */
export interface ReportInput {
  text: ReportText;
  /** An imaging report unless said. */
  form?: DocumentForm;
  patient: Patient;
  serviceRequest: ServiceRequest;
  /** Requesting physician on site. */
  requester?: Practitioner;
  /** The radiologist who signs: author and legalAuthenticator (design §5 rule 14). */
  radiologist: Practitioner;
  /** Structure the radiologist reads for (the platform or their practice). */
  platform: Organization;
  /** Hospital: custodian and place of care. */
  establishment: Organization;
  study?: ImagingStudy;
  /** Acts done, CCAM validated by the radiologist first. */
  acts: { system: string; code: string; display: string }[];
  /** Mean CTDIvol and DLP, when known, in mGy and mGy.cm. */
  dose?: { ctdiVolMGy?: number; dlpMGyCm?: number; text?: string };
  contrast?: { text: string };
  /** Case dates: exam performed, request written. */
  examDate?: Date;
  requestDate?: Date;
  encounterClass?: string;
  visitNumber?: string;
  accessionNumber?: { value: string; system?: string };
  placerOrderNumber?: { value: string; system?: string };
  /** Instant of signature; printed, `/M` of the signature, effectiveTime and legalAuthenticator/time of the CDA. */
  signedAt: Date;
  /** OID of this version (≤ 64 characters) and of the set; version ≥ 1; what it replaces. */
  document: { oid: string; setOid: string; version: number; replaces?: string };
  /** Full URL to open the images (partial viewer URL completed), when the hospital gave one. */
  viewerUrl?: string;
}

/** The artefacts; the PDF's bytes are the same everywhere (alone, in the CDA, in messages). */
export interface ReportDocuments {
  /** PDF/A-1, tagged, PAdES B-B signature over the whole file. */
  pdf: Buffer;
  pdfSha256: string;
  /** CDA R2 level 1 with the PDF inside, UTF-8. */
  cda: Buffer;
  cdaSha256: string;
  /** Title used in every channel, French. */
  title: string;
}

/** Signing identity of one radiologist: PEM certificate chain and private key. */
export interface Signer {
  certificate: string;
  chain: string[];
  privateKey: string;
}

/** Problem found in a draft before signature; an error blocks signing. French text. */
export interface ReportIssue {
  severity: 'error' | 'warning';
  code: string;
  text: string;
}

export interface ReportRoom {
  /** Missing chapters, laterality contradictions…; empty when clean. */
  lint(input: ReportInput): ReportIssue[];
  build(input: ReportInput, signer: Signer): Promise<ReportDocuments>;
}
