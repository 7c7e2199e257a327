/**
 * What nobody caught. Node would print it whole, and errors of the database quote rows: it is told by the log, which names kinds and places
 * only (docs/access/surface.md). A promise nobody waited for changes nothing that is kept; after an exception nobody caught the process is in an
 * unknown state and ends, for its supervisor to start another.
 */

interface Log {
  error(details: object, message: string): void;
  fatal(details: object, message: string): void;
}

/**
 * A log that cannot be written any more (a full disk, a collector that died) costs the log, not the server; a reader that went away
 * (`| head`) costs what it would have read, and a command does its work to the end.
 */
export function surviveOurWords(
  streams: readonly NodeJS.EventEmitter[] = [process.stdout, process.stderr],
  lost: (code: string) => void = sayLost,
): void {
  for (const stream of streams)
    stream.on('error', ({ code = '' }: { code?: string }) => {
      // Nobody misses what nobody reads. A file on a full disk is missed: it would pass for whole.
      if (code !== 'EPIPE') lost(code);
    });
}

let isSaid = false;
function sayLost(code: string): void {
  process.exitCode = 1;
  if (isSaid) return;
  isSaid = true;
  process.stderr.write(
    `Passerelle : la sortie n’a pas pu être écrite (${code}) ; ce qui en est gardé est incomplet.\n`,
  );
}

/** @param of the process, or what stands for it in tests. */
export function lastWordsBy(
  log: Log,
  of: NodeJS.EventEmitter = process,
  exit: (code: number) => void = (code) => process.exit(code),
): void {
  of.on('unhandledRejection', (error: unknown) => log.error({ err: error }, 'a failure that nobody waited for'));
  of.on('uncaughtException', (error: unknown) => {
    log.fatal({ err: error }, 'an error that nobody caught: the server ends');
    exit(1);
  });
}
