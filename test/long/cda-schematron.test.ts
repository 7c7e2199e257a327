import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createReportRoom } from '../../src/report/index.ts';
import { sampleSigner } from '../report/signer.ts';
import { hasTool, run, scratchFolder } from '../report/tools.ts';
import { refereeInputs } from './report-inputs.ts';

const jars = 'data/referees/lib';
const rules = '../shared/fixtures/cda';
const present = hasTool('java') && hasTool('unzip') && existsSync(jars) && existsSync(rules);

// Present after test/long/fetch-report-referees.sh, where the national rules lie beside the repository.
describe.skipIf(!present)(
  'national Schematron, header layer (skipped without java, data/referees or the rules)',
  () => {
    test('no assertion fails on any of our reports, and one does when the INS loses its birth place', async () => {
      const folder = scratchFolder();
      const compiler = join(folder, 'schxslt');
      mkdirSync(compiler);
      const archive = readdirSync(jars).find((file) => file.startsWith('schxslt-'))!;
      run('unzip', ['-q', join(jars, archive), '-d', compiler]);
      // Rules open their value sets by relative paths: the compiled sheet must lie beside them.
      for (const part of ['schematrons', 'jeuxDeValeurs'])
        cpSync(join(rules, part), join(folder, part), { recursive: true });
      const place = join(folder, 'schematrons/profils/structurationMinimale');
      const sheet = join(place, 'header.xsl');
      const saxon = (args: string[]) =>
        run('java', ['-Xss64m', '-cp', `${resolve(jars)}/*`, 'net.sf.saxon.Transform', ...args]);
      const pipeline = `-xsl:${join(compiler, 'xslt/2.0/pipeline-for-svrl.xsl')}`;
      saxon([`-s:${join(place, 'ASIP-STRUCT-MIN-StrucMin.sch')}`, pipeline, `-o:${sheet}`, 'phase=#ALL']);
      const documents = join(folder, 'documents');
      mkdirSync(documents);
      const room = createReportRoom();
      const signer = await sampleSigner();
      for (const [name, input] of Object.entries(refereeInputs())) {
        const { cda } = await room.build(input, signer);
        writeFileSync(join(documents, `${name}.xml`), cda);
        if (name !== 'usual') continue;
        writeFileSync(join(documents, 'broken.xml'), cda.toString().replace(/<birthplace>[\s\S]*?<\/birthplace>/, ''));
      }
      // One run for all: loading the ten megabytes of compiled rules is what costs.
      const verdicts = join(folder, 'verdicts');
      mkdirSync(verdicts);
      saxon([`-s:${documents}`, `-xsl:${sheet}`, `-o:${verdicts}`]);
      const files = readdirSync(verdicts);
      expect(files).toHaveLength(Object.keys(refereeInputs()).length + 1);
      for (const file of files) {
        const svrl = readFileSync(join(verdicts, file), 'utf8');
        expect(svrl.match(/<svrl:fired-rule/g)!.length, file).toBeGreaterThan(100);
        const failed = svrl.match(/<svrl:failed-assert/g) ?? [];
        if (file.startsWith('broken')) expect(failed, file).not.toEqual([]);
        else expect(failed, file).toEqual([]);
      }
    });
  },
);
