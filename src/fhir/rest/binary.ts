/** Binary in its own form, as files travel: https://hl7.org/fhir/R4/binary.html#rest. */
import type { Binary } from '@medplum/fhirtypes';
import { subsetted } from '../search/subset.ts';
import type { Answer } from './call.ts';

/** A file as it leaves. */
export interface RawAnswer {
  contentType: string;
  data: Buffer;
  headers: Record<string, string>;
}

/** What came with a raw body becomes a Binary; `X-Security-Context` names whose access rules it follows. */
export function binaryOf(
  contentType: string,
  data: Buffer,
  securityContext: string | undefined,
  id: string | undefined,
): Binary {
  return {
    resourceType: 'Binary',
    ...(id === undefined ? {} : { id }),
    contentType,
    ...(securityContext ? { securityContext: { reference: securityContext } } : {}),
    ...(data.length > 0 ? { data: data.toString('base64') } : {}),
  };
}

/** The answer to an upload: what is known of the file now, and not the file again, which would double the traffic. */
export function receiptOf(answer: Answer, contentType: string): Answer {
  const { version } = answer;
  if (!version) return answer;
  const receipt: Binary = {
    resourceType: 'Binary',
    id: version.id,
    meta: { versionId: version.versionId, lastUpdated: version.updated.toISOString(), tag: [subsetted] },
    contentType,
  };
  return { ...answer, body: JSON.stringify(receipt) };
}

/** The answer to a read, as the file it carries; undefined when there is nothing to unpack (an error, a 304, a part of the resource). */
export function rawAnswerOf(answer: Answer): RawAnswer | undefined {
  if (answer.status !== 200 || answer.body === undefined) return undefined;
  const binary = JSON.parse(answer.body) as Binary;
  // `_elements` and `_summary` leave the data out: that is not an empty file.
  if (binary.data === undefined && binary.meta?.tag?.some(({ code }) => code === subsetted.code)) return undefined;
  return {
    contentType: safeContentType(binary.contentType),
    data: Buffer.from(binary.data ?? '', 'base64'),
    headers: {
      // Whatever was uploaded must not run in our origin: no scripts, no forms, no guessing of types.
      'Content-Security-Policy': "sandbox; default-src 'none'; frame-ancestors 'self'",
      'X-Content-Type-Options': 'nosniff',
      // Opened by its address it is saved under a name of ours, not shown.
      'Content-Disposition': `attachment; filename="${binary.id ?? 'file'}"`,
      ...(binary.securityContext?.reference ? { 'X-Security-Context': binary.securityContext.reference } : {}),
    },
  };
}

/** Only what is surely legal in a header is repeated there. */
function safeContentType(contentType: string): string {
  return /^[\w.+-]+\/[\w.+-]+(?:\s*;\s*[\w-]+=(?:[\w.+-]+|"[\w .:/+-]*"))*$/.test(contentType)
    ? contentType
    : 'application/octet-stream';
}
