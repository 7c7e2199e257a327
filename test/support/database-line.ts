/** A line between the application and PostgreSQL that can be cut, or swallow what passes, at a moment of the test's choosing. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DatabaseLine {
  /** The same database, through this line. */
  url: string;
  /** Resets every connection that is open now, as a firewall or a machine that restarts does. */
  cut(): void;
  /** From now on nothing passes any more, and nobody is told. */
  freeze(): void;
  /** What comes from now on passes again; what was swallowed is gone. */
  thaw(): void;
  /** Called with every piece the application sends, before it is passed on; what it returns is waited for. */
  onSent: ((piece: Buffer, connection: { cut(): void }) => Promise<void> | void) | undefined;
  close(): Promise<void>;
}

export async function openDatabaseLine(databaseUrl: string): Promise<DatabaseLine> {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let isFrozen = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    open.add(near);
    near.once('close', () => open.delete(near));
    for (const socket of [near, far]) socket.on('error', () => undefined);
    // What was sent still arrives, as it does when a line breaks behind it.
    const end = () => far.end();
    let turn: Promise<void> = Promise.resolve();
    near.on('data', (piece: Buffer) => {
      turn = turn.then(async () => {
        await line.onSent?.(piece, { cut: () => near.resetAndDestroy() });
        if (!isFrozen) far.write(piece);
      });
    });
    near.once('close', () => void turn.then(end));
    far.on('data', (piece: Buffer) => {
      if (!isFrozen && !near.destroyed) near.write(piece);
    });
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const line: DatabaseLine = {
    url: url.href,
    cut() {
      for (const socket of open) socket.resetAndDestroy();
    },
    freeze() {
      isFrozen = true;
    },
    thaw() {
      isFrozen = false;
    },
    onSent: undefined,
    async close() {
      line.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return line;
}
