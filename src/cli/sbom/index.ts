import { readFile, writeFile } from 'node:fs/promises';
import { CommandError } from '../command-error.ts';
import { problemsOf, sbomOf } from './cyclonedx.ts';
import type { Lock } from './inventory.ts';

/** Bill of materials of what is shipped: `sbom [file]`, to standard output when no file is named. */
export async function sbom([file]: string[]): Promise<number> {
  const lock = JSON.parse(await readFile(new URL('../../../package-lock.json', import.meta.url), 'utf8')) as Lock;
  const text = sbomOf(lock, new Date());
  const [problem] = problemsOf(JSON.parse(text));
  if (problem)
    throw new CommandError(
      `Le document n’est pas du CycloneDX 1.6 valide : ${problem.instancePath} ${problem.message}.`,
    );
  if (file) await writeFile(file, text);
  else process.stdout.write(`${text}\n`);
  return 0;
}
