/** Where a page of the worklist ends: the place of its last row, and the load terms it was ordered by. Opaque to clients. */
import { FhirError } from '../../fhir/index.ts';

/** Place of a row in somebody's order. */
export interface Placed {
  urgencyClass: 0 | 1;
  /** Milliseconds since 1970: the virtual due time as this reader sees it. */
  at: number;
  caseId: string;
  /** Tells apart cases of one id in several tenants. */
  tenant: string;
}

export interface WorklistCursor {
  after: Placed;
  /** Minutes of the load term by establishment, of each tenant: they stay as they are from page to page. */
  loads: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export function comparePlaced(a: Placed, b: Placed): number {
  if (a.urgencyClass !== b.urgencyClass) return a.urgencyClass - b.urgencyClass;
  if (a.at !== b.at) return a.at - b.at;
  if (a.caseId !== b.caseId) return a.caseId < b.caseId ? -1 : 1;
  return a.tenant === b.tenant ? 0 : a.tenant < b.tenant ? -1 : 1;
}

export function encodeCursor({ after, loads }: WorklistCursor): string {
  const { urgencyClass, at, caseId, tenant } = after;
  return Buffer.from(JSON.stringify([urgencyClass, at, caseId, tenant, loads])).toString('base64url');
}

/** @throws FhirError 400 for what is none of ours. */
export function decodeCursor(text: string): WorklistCursor {
  const cursor = parse(text);
  if (cursor === undefined)
    throw new FhirError(400, 'invalid', 'The page cursor does not belong to this worklist', 'http._cursor');
  return cursor;
}

const longest = 16_384;
const timeLimitMs = 8.64e15;

function parse(text: string): WorklistCursor | undefined {
  if (text.length > longest) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 5) return undefined;
  const [urgencyClass, at, caseId, tenant, loads] = value as unknown[];
  const isPlace =
    (urgencyClass === 0 || urgencyClass === 1) &&
    Number.isInteger(at) &&
    Math.abs(at as number) <= timeLimitMs / 2 &&
    typeof caseId === 'string' &&
    /^[A-Za-z0-9.-]{1,64}$/.test(caseId) &&
    typeof tenant === 'string';
  if (!isPlace || !isLoads(loads)) return undefined;
  return { after: { urgencyClass, at: at as number, caseId, tenant }, loads };
}

function isLoads(value: unknown): value is WorklistCursor['loads'] {
  const isRecord = (each: unknown): each is Record<string, unknown> =>
    typeof each === 'object' && each !== null && !Array.isArray(each);
  return (
    isRecord(value) &&
    Object.values(value).every(
      (each) => isRecord(each) && Object.values(each).every((minutes) => Number.isInteger(minutes)),
    )
  );
}
