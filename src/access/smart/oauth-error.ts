/** Errors of the authorization server as clients get them (RFC 6749 §5.2): a code, and an English sentence for whoever integrates. */
export type OAuthErrorCode =
  | 'access_denied'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_scope'
  | 'login_required'
  | 'temporarily_unavailable'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type';

export class OAuthError extends Error {
  override name = 'OAuthError';
  readonly code: OAuthErrorCode;
  /** What the trail records beyond the code; never sent. */
  readonly reason: string;

  /** @param description sent to the caller: it tells nobody which clients exist. */
  constructor(code: OAuthErrorCode, description: string, reason = description) {
    super(description);
    this.code = code;
    this.reason = reason;
  }

  /** RFC 6749 §5.2: 401 when the client could not be authenticated. */
  get status(): number {
    if (this.code === 'temporarily_unavailable') return 503;
    return this.code === 'invalid_client' ? 401 : 400;
  }
}

/** Whoever may not know why: the client is unknown, disabled, or did not prove who it is. */
export function invalidClient(reason: string): OAuthError {
  return new OAuthError('invalid_client', 'The client could not be authenticated', reason);
}
