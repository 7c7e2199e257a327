/** Independent judges, used where the machine has them: poppler, dmtx-utils, openssl, xmllint. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** True when the command exists; a test that needs it is skipped by name otherwise. */
export function hasTool(command: string): boolean {
  return spawnSync('which', [command]).status === 0;
}

export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), 'passerelle-report-'));
}

export function run(command: string, args: string[]): string {
  return execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
