/**
 * How the embedded PostgreSQL is sized. Its own defaults are those of a machine with a quarter of a gigabyte: with 128 MB of shared
 * buffers every search of a million rows reads through the operating system, and with a gigabyte of log a load checkpoints without
 * end, each page it touches logged whole again. A PostgreSQL of `DATABASE_URL` is its operator's (docs/guide-exploitation.md says the
 * same values).
 */
import { totalmem } from 'node:os';

const megabyte = 1024 * 1024;

/** Octets this process and what it starts may use: the machine's, or the container's where it has less. */
export function availableMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * Settings for a server that shares its machine with Node, as `name=value`.
 * @param memoryBytes what both may use together. @param freeDiskBytes room left where the cluster is.
 */
export function sizedSettings(memoryBytes: number, freeDiskBytes: number): string[] {
  const memory = Math.floor(memoryBytes / megabyte);
  const freeDisk = Math.floor(freeDiskBytes / megabyte);
  // A quarter, as PostgreSQL's manual advises (20.4.1); pages are only taken when they are used.
  const sharedBuffers = Math.min(Math.max(Math.floor(memory / 4), 128), 8192);
  return [
    `shared_buffers=${sharedBuffers}MB`,
    `effective_cache_size=${Math.max(Math.floor(memory / 2), 256)}MB`,
    // After a checkpoint each page is logged whole once: with less room than the index of ten million resources has pages, every page
    // would be, every time. Recovery after a power cut reads no more than this; only a load that writes so much takes it.
    `max_wal_size=${Math.min(Math.max(Math.floor(Math.min(memory / 2, freeDisk / 8)), 1024), 16_384)}MB`,
    'checkpoint_timeout=10min',
    // Disks without heads: a random page costs about what the next one does.
    'random_page_cost=1.1',
    // Compiling a statement takes longer than any of ours should run.
    'jit=off',
  ];
}
