import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createReportRoom } from '../../src/report/index.ts';
import { sampleSigner } from '../report/signer.ts';
import { hasTool, run, scratchFolder } from '../report/tools.ts';
import { refereeInputs } from './report-inputs.ts';

const jars = 'data/referees/lib';

// Present after test/long/fetch-report-referees.sh.
describe.skipIf(!hasTool('java') || !existsSync(jars))('veraPDF (skipped without java or data/referees)', () => {
  test('every signed report is PDF/A-1a', async () => {
    const room = createReportRoom();
    const signer = await sampleSigner();
    const folder = scratchFolder();
    const files: string[] = [];
    for (const [name, input] of Object.entries(refereeInputs())) {
      const file = join(folder, `${name}.pdf`);
      writeFileSync(file, (await room.build(input, signer)).pdf);
      files.push(file);
    }
    const verdict = run('java', ['-cp', `${jars}/*`, 'test/long/VeraPdf.java', ...files]);
    expect(verdict.match(/^compliant/gm)).toHaveLength(files.length);
  });
});
