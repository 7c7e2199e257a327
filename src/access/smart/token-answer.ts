/** What the token endpoint answers (RFC 6749 §5.1, SMART App Launch 2.2 §Response). */
export interface TokenAnswer {
  access_token: string;
  token_type: 'Bearer';
  /** Seconds. */
  expires_in: number;
  scope: string;
  refresh_token?: string;
  id_token?: string;
  /** Launch context: id of the patient the app works on. */
  patient?: string;
  fhirContext?: { reference: string }[];
  intent?: string;
  /** Whether the app has to show whom it is about: we do not, around it. */
  need_patient_banner?: boolean;
}
