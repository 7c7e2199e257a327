/**
 * When everything that arrived together has been heard: after the sockets of this turn of the event loop, before it waits again. What is
 * sent then goes together and nobody waits for it; each statement costs the socket, the kernel and PostgreSQL as much as ten of its rows.
 */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
