/** Independent programs read the PDF where they are installed (poppler, libdmtx); where they are not, that is said. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from './steps.ts';

const resolutionDpi = 200;
const readTimeoutMs = 60_000;

/** @throws Error when an installed judge disagrees. */
export async function judgePdf(file: string, ins: string): Promise<string[]> {
  return [...judgeSignature(file), ...(await judgeDatamatrix(file, ins))];
}

function judgeSignature(file: string): string[] {
  const result = spawnSync('pdfsig', ['-nocert', file], { encoding: 'utf8' });
  if (result.error) return ['pdfsig n’est pas installé ici : signature non contrôlée par un tiers'];
  expect(/Signature is Valid/.test(result.stdout), `pdfsig: ${result.stdout}${result.stderr}`);
  expect(/Total document signed/.test(result.stdout), `pdfsig: ${result.stdout}`);
  expect((result.stdout.match(/Signature #\d+:/g) ?? []).length === 1, `pdfsig: ${result.stdout}`);
  return ['pdfsig : une signature, valide, couvrant tout le document'];
}

async function judgeDatamatrix(file: string, ins: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-page-'));
  try {
    const page = join(folder, 'page');
    const render = spawnSync('pdftoppm', [
      '-r',
      String(resolutionDpi),
      '-f',
      '1',
      '-l',
      '1',
      '-png',
      '-singlefile',
      file,
      page,
    ]);
    const read = spawnSync('dmtxread', ['-n', '-N1', '-m', String(readTimeoutMs), `${page}.png`], { encoding: 'utf8' });
    if (render.error || read.error) return ['dmtxread n’est pas installé ici : datamatrix non contrôlé par un tiers'];
    expect(read.stdout.startsWith(`IS01${'0'.repeat(22)}S1${ins}`), `dmtxread: ${JSON.stringify(read.stdout)}`);
    return [`dmtxread : ${JSON.stringify(read.stdout.trim())}`];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
