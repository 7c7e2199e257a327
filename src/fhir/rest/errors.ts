/** What a failure looks like from outside: an OperationOutcome, and nothing about how we are made. */
import type { OperationOutcome } from '@medplum/fhirtypes';
import { DatabaseAway, isShortOfMeans, OutcomeUnknown } from '../../db/index.ts';
import { FhirError } from '../contract.ts';

/** Errors of the layers below us that are about the request, by Fastify's code or PostgreSQL's. */
const transportErrors: Record<string, [status: number, code: OperationOutcome['issue'][number]['code'], text: string]> =
  {
    FST_ERR_CTP_BODY_TOO_LARGE: [413, 'too-long', 'the body is larger than this server takes'],
    FST_ERR_CTP_INVALID_MEDIA_TYPE: [
      415,
      'not-supported',
      'FHIR is understood as application/fhir+json and application/fhir+xml',
    ],
    FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'structure', 'the body is not as long as Content-Length says'],
    // The database gave up on a statement (statement_timeout).
    '57014': [503, 'timeout', 'this takes too long: ask for less'],
    // U+0000: no text of the database can have it, so nothing stored does.
    '22021': [400, 'invalid', 'the request has a character (U+0000) that no value can have'],
    FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'structure', 'the body is empty'],
  };

export interface Failure {
  status: number;
  outcome: OperationOutcome;
  /** Ours, not the caller's: to be logged with its stack. */
  isInternal: boolean;
}

export function failureOf(error: unknown, requestId: string): Failure {
  if (error instanceof FhirError) {
    // Also errors of ours that a room reports as such: their text was written for the caller.
    return { status: error.status, outcome: error.outcome, isInternal: error.status >= 500 };
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const transport = transportErrors[code];
  if (transport) {
    const [status, issueCode, text] = transport;
    return { status, outcome: new FhirError(status, issueCode, text).outcome, isInternal: false };
  }
  const lost = ofLostDatabase(error);
  if (lost) return { status: lost.status, outcome: lost.outcome, isInternal: true };
  const { outcome } = FhirError.of(500, [
    {
      severity: 'error',
      code: 'exception',
      diagnostics: `internal error; quote request ${requestId}`,
      details: { text: `Erreur interne : signalez à l’exploitant le numéro ${requestId}.` },
    },
  ]);
  return { status: 500, outcome, isInternal: true };
}

/** What the system says of a full disk, or a quota that is reached, when a file is written. */
const noRoom: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Whether something was kept must not be guessed: who asked is told that it was not, or that nobody knows. */
function ofLostDatabase(error: unknown): FhirError | undefined {
  const said = (status: number, diagnostics: string, text: string) =>
    FhirError.of(status, [{ severity: 'error', code: 'no-store', diagnostics, details: { text } }]);
  if (error instanceof OutcomeUnknown)
    return said(
      500,
      'the database was lost while this was being kept: whether it was is not known; look before sending it again',
      'La base de données a été perdue pendant l’enregistrement : on ne sait pas s’il a eu lieu. Vérifiez avant de recommencer.',
    );
  if (noRoom.has((error as { code?: unknown } | null)?.code))
    return said(
      503,
      'no room is left on the disk: nothing was kept, try again later',
      'L’espace de stockage est épuisé : rien n’a été enregistré, réessayez plus tard.',
    );
  if (error instanceof DatabaseAway || isShortOfMeans(error))
    return said(
      503,
      'the database cannot serve now: nothing was kept, try again later',
      'La base de données ne peut pas répondre pour le moment : rien n’a été enregistré, réessayez plus tard.',
    );
  return undefined;
}

/** Says where in a Bundle a failure lies: `Patient.name[0]` becomes `Bundle.entry[2].resource.name[0]`. */
export function atEntry(outcome: OperationOutcome, index: number): OperationOutcome {
  const entry = `Bundle.entry[${index}]`;
  return {
    ...outcome,
    issue: outcome.issue.map((issue) => ({
      ...issue,
      expression: issue.expression?.map((path) => inEntry(path, entry)) ?? [entry],
    })),
  };
}

/** An expression about an entry's resource, or about what would be a header (`http.If-Match`) of a request of its own. */
function inEntry(path: string, entry: string): string {
  if (path.startsWith('Bundle.entry')) return path;
  const header = /^http\.(If-[\w-]+)$/.exec(path)?.[1];
  if (header) return `${entry}.request.${header[0]!.toLowerCase()}${header.slice(1).replaceAll('-', '')}`;
  return path.startsWith('http.') ? `${entry}.request.url` : `${entry}.resource${path.replace(/^[A-Za-z]+/, '')}`;
}

/**
 * What may be logged of an error: where, not what about. Messages of the database quote values, hence patients, and are left out.
 */
export function loggable(error: unknown): { type: string; code?: string; message?: string; stack?: string } {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const isDatabase = 'severity' in error;
  return {
    type: error.name,
    ...(code ? { code } : {}),
    ...(isDatabase ? {} : { message: error.message }),
    stack: (error.stack ?? '')
      .split('\n')
      .filter((line) => line.startsWith('    at '))
      .join('\n'),
  };
}
