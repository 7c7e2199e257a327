import { afterEach, expect, test, vi } from 'vitest';
import { spokenMessage } from '../../src/cli/spoken.ts';
import { terminology } from '../../src/cli/terminology.ts';
import { createFhirStore } from '../../src/fhir/index.ts';
import { temporaryFolder } from '../fhir/terminology/files.ts';
import { testDatabase } from '../support/database.ts';

afterEach(() => vi.restoreAllMocks());

const isSpoken = (error: unknown) => spokenMessage(error) !== undefined;

test('an operator loads a code system for everybody, sees it listed and removes it; the trail tells', async () => {
  const database = await testDatabase();
  const folder = await temporaryFolder();
  const printed: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  const run = (...args: string[]) => terminology(args, { DATABASE_URL: database.url });
  try {
    const path = await folder.write('CCAM_V12.csv', 'Code;Libellé\n1;Chapitre\nZZQK999;Acte inventé\n');
    expect(await run('load', 'ccam', path)).toBe(0);
    expect(printed.join('')).toMatch(/2 concepts, 1 paires[\s\S]*chargé pour platform/);
    const store = await createFhirStore({ database });
    const valid = () =>
      store.terminology.validateCode('aa', { system: 'urn:oid:1.2.250.1.215.300.1|12', code: 'ZZQK999' });
    expect(await valid()).toEqual({ valid: true, display: 'Acte inventé' });
    const trail = await database.query('platform', 'SELECT count(*)::int AS n FROM fhir.journal');
    expect(trail.rows[0]!.n).toBeGreaterThan(0);
    printed.length = 0;
    await run('list');
    expect(printed.join('')).toContain(
      'urn:oid:1.2.250.1.215.300.1|12  Classification commune des actes médicaux  2 concepts',
    );
    await run('remove', 'urn:oid:1.2.250.1.215.300.1');
    expect(await valid()).toBeUndefined();
    for (const wrong of [
      ['load', 'ccam', `${folder.path}/none`],
      ['load', 'ccam'],
      ['load', 'ccam', path, '--tenant', 'nobody'],
      ['remove', 'urn:none'],
      ['list', '--colour'],
      ['sing'],
    ])
      await expect(run(...wrong), wrong.join(' ')).rejects.toSatisfy(isSpoken);
  } finally {
    await folder.remove();
    await database.close();
  }
});
