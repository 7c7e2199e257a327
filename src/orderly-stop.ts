/** The end of the server, part after part: what does not stop as it should must not keep the rest from stopping, nor the process from ending. */

export async function stopInTurn(
  parts: readonly (() => unknown)[],
  log: { error(details: object, message: string): void },
): Promise<void> {
  for (const stop of parts) {
    try {
      await stop();
    } catch (error) {
      log.error({ err: error }, 'a part of the server did not stop as it should');
    }
  }
}
