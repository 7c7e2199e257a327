/**
 * What a lost database means to whoever asked it something: nothing of it was kept, or nobody knows. SQLSTATE decides, never the words or the
 * severity of a message: PostgreSQL says those in the language of its operator.
 */

/** The database cannot be reached, or its connection was lost before anything was asked to be kept. */
export class DatabaseAway extends Error {
  override name = 'DatabaseAway';
  /** SQLSTATE or the system's code, when there is one. */
  readonly code?: string;
  /** The one statement had been sent: if it keeps something, nobody knows whether it did. */
  readonly wasAsked: boolean;

  constructor(cause: unknown, { wasAsked = false } = {}) {
    super('the database does not answer', { cause });
    this.wasAsked = wasAsked;
    const code = codeOf(cause);
    if (code !== undefined) this.code = code;
  }
}

/** The connection was lost while PostgreSQL was asked to keep something: whether it did is not known. */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown';

  constructor(cause: unknown) {
    super('the database was lost while it was asked to keep something: whether it did is not known', { cause });
  }
}

/** SQLSTATE classes that say nothing of the statement: the connection, the resources, the operator, a fault inside. */
const circumstances = /^(?:08|25P|28|3D|53|57|58|F0|XX)/;

/** True when PostgreSQL refused the statement itself, and nothing of it was kept. */
export function isVerdict(error: unknown): boolean {
  const code = codeOf(error);
  return isOfServer(error) && code !== undefined && !circumstances.test(code);
}

/** Of the connection: ended by the server or its operator (class 08, 57P, time limits on sessions), refused, or too many. */
const endings = /^(?:08|57P|25P03|53300|28|3D)/;
/** What Node says of a socket that broke. */
const brokenSocket = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/;
/** Of the driver, about a connection that is gone or does not answer; it gives no codes. */
const driverWords =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout)/;

/** True when the connection is of no use any more. */
export function isLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (isOfServer(error)) return code !== undefined && endings.test(code);
  return code === undefined ? driverWords.test(error.message) : brokenSocket.test(code);
}

/** True when PostgreSQL answered that it has no room, cannot write, or only serves reads: nothing was kept, and it may be otherwise later. */
export function isShortOfMeans(error: unknown): boolean {
  const code = codeOf(error);
  const isPanic = (error as { severity?: unknown } | null)?.severity === 'PANIC';
  return isOfServer(error) && !isPanic && code !== undefined && /^(?:53|58|25006)/.test(code);
}

/** Answers of PostgreSQL carry a severity, in whatever language. */
function isOfServer(error: unknown): boolean {
  return error instanceof Error && 'severity' in error;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
