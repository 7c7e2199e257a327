/** A message refused: what the acknowledgement will say. The texts and codes are in mappings/hl7v2/errors.json. */

/** Reasons of refusal; each has its code of table 0357, its AE or AR and its French text in the tables. */
export type RefusalKind =
  | 'not-hl7'
  | 'too-large'
  | 'segment-missing'
  | 'observation-missing'
  | 'field-missing'
  | 'bad-charset'
  | 'charset-missing'
  | 'charset-mismatch'
  | 'bad-type'
  | 'bad-code'
  | 'bad-base64'
  | 'incoherent'
  | 'bad-ins-key'
  | 'ins-ambiguous'
  | 'test-identity'
  | 'unsupported-type'
  | 'unsupported-event'
  | 'unsupported-processing'
  | 'unsupported-version'
  | 'unknown-sender'
  | 'foreign-certificate'
  | 'unknown-key'
  | 'refused-by-domain'
  | 'conflict'
  | 'unavailable';

/** Thrown by the translation; carries no patient data. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly kind: RefusalKind;
  /** ERR-2: `SEG^occurrence^field`, absent when no element is at fault. */
  readonly location: string | undefined;
  /** Values of the placeholders of the text. */
  readonly values: Record<string, string>;

  constructor(kind: RefusalKind, location?: string, values: Record<string, string> = {}) {
    super(kind);
    this.kind = kind;
    this.location = location;
    this.values = values;
  }
}
