/** Requests to a provider: they end in time, go where they were sent, and bring back no more than such answers hold. */

const timeoutMs = 10_000;
const longestAnswerBytes = 512 * 1024;

/** @throws TypeError when the answer is too long; what `fetch` throws. */
export async function boundedFetch(url: string, init: RequestInit): Promise<Response> {
  const signals = [AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])];
  const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any(signals) });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > longestAnswerBytes) throw new TypeError('the answer of the provider is too long');
    chunks.push(chunk);
  }
  const isEmpty = [101, 204, 205, 304].includes(response.status);
  const { status, statusText, headers } = response;
  // A redirect that is not followed is shown as it is: the caller refuses what is not 200.
  return new Response(isEmpty ? null : Buffer.concat(chunks), {
    status: status === 0 ? 502 : status,
    statusText,
    headers,
  });
}
