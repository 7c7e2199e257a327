import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CodeSystem, ValueSet } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateTerminology } from '../../../scripts/generate-terminology.ts';
import type { FhirError } from '../../../src/fhir/index.ts';
import { type TestRoom, testRoom } from './room.ts';

let room: TestRoom;
beforeAll(async () => {
  room = await testRoom();
});
afterAll(() => room.close());

const fruit = (version: string, ...codes: string[]): CodeSystem => ({
  resourceType: 'CodeSystem',
  id: `fruit-${version}`,
  url: 'urn:test:fruit',
  version,
  status: 'active',
  content: 'complete',
  concept: codes.map((code) => ({ code, display: code.toUpperCase() })),
});
const all: ValueSet = {
  resourceType: 'ValueSet',
  id: 'fruit',
  url: 'urn:test:vs:fruit',
  status: 'active',
  compose: { include: [{ system: 'urn:test:fruit' }] },
};

describe('sources of terminology', () => {
  it('know the definitions of R4 without any of them being stored', async () => {
    const gender = await room.terminology.expand('aa', 'http://hl7.org/fhir/ValueSet/administrative-gender');
    expect(gender?.map(({ code }) => code)).toEqual(['male', 'female', 'other', 'unknown']);
    expect(
      await room.terminology.validateCode('aa', {
        valueSet: 'http://terminology.hl7.org/ValueSet/v2-0203',
        system: 'http://terminology.hl7.org/CodeSystem/v2-0203',
        code: 'ACSN',
      }),
    ).toEqual({ valid: true, display: 'Accession ID' });
    expect(
      await room.terminology.related(
        'aa',
        { system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'AUNT' },
        'above',
      ),
    ).toEqual(expect.arrayContaining(['AUNT', 'EXT', 'FAMMEMB']));
  });

  it('know our own code systems and value sets', async () => {
    const codes = await room.terminology.expand('aa', 'https://fhir.passerelle.example/ValueSet/clock-rule');
    expect(codes?.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['urgent-1h', 'inpatient-1h', 'routine-0800', 'critical-15min']),
    );
  });

  it('answer what a tenant stored to that tenant alone, the newest version when none is named', async () => {
    await room.put('aa', fruit('1.9', 'apple'), fruit('1.10', 'apple', 'pear'), all);
    expect(await room.terminology.expand('aa', 'urn:test:vs:fruit')).toHaveLength(2);
    expect(await room.terminology.expand('aa', 'ValueSet/fruit')).toHaveLength(2);
    expect(await room.terminology.expand('bb', 'urn:test:vs:fruit')).toBeUndefined();
    expect(await room.terminology.validateCode('bb', { system: 'urn:test:fruit', code: 'apple' })).toBeUndefined();
    expect(await room.terminology.validateCode('aa', { system: 'urn:test:fruit|1.9', code: 'pear' })).toEqual({
      valid: false,
    });
  });

  it('answer what the platform stored to every tenant, after its own', async () => {
    const shared: CodeSystem = { ...fruit('1', 'fig'), id: 'shared', url: 'urn:test:shared' };
    await room.put('platform', shared);
    expect(await room.terminology.validateCode('bb', { system: 'urn:test:shared', code: 'fig' })).toMatchObject({
      valid: true,
    });
    await room.put('aa', { ...shared, id: 'mine', concept: [{ code: 'plum' }] });
    expect(await room.terminology.validateCode('aa', { system: 'urn:test:shared', code: 'fig' })).toEqual({
      valid: false,
    });
  });

  it('see what a transaction wrote, over its connection', async () => {
    await room.database.transaction('aa', async (sql) => {
      await sql.query(`INSERT INTO terminology.code_system (tenant, url, version, name, properties, concepts, loaded_at)
        VALUES ('aa', 'urn:test:fresh', '1', 'Fresh', '[]', 0, now())`);
      const question = { system: 'urn:test:fresh', code: 'x' };
      expect(await room.terminology.over(sql).validateCode('aa', question)).toEqual({ valid: false });
      expect(await room.terminology.validateCode('aa', question)).toBeUndefined();
    });
  });

  it('know languages, media types and units by their rules', async () => {
    const valid = async (system: string, code: string) =>
      (await room.terminology.validateCode('aa', { system, code }))?.valid;
    expect(await valid('urn:ietf:bcp:47', 'fr-CA')).toBe(true);
    expect(await valid('urn:ietf:bcp:47', 'no language')).toBe(false);
    expect(await valid('http://unitsofmeasure.org', 'mg/dL')).toBe(true);
    expect(await valid('http://unitsofmeasure.org', 'wombats')).toBe(false);
    expect(await valid('urn:ietf:bcp:13', 'application/dicom')).toBe(true);
  });
});

describe('the committed definitions of R4', () => {
  it('are what the generator makes of the package', () => {
    const file = fileURLToPath(new URL('../../../src/fhir/terminology/r4.generated.jsonl', import.meta.url));
    expect(generateTerminology() === readFileSync(file, 'utf8'), 'run node scripts/generate-terminology.ts').toBe(true);
  });

  it('can all be read, and every value set that needs no system from elsewhere can be expanded', async () => {
    const file = fileURLToPath(new URL('../../../src/fhir/terminology/r4.generated.jsonl', import.meta.url));
    const sets = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{"resourceType":"ValueSet"'))
      .map((line) => (JSON.parse(line) as ValueSet).url!);
    const outcomes: Record<string, number> = { expanded: 0, elsewhere: 0 };
    const failures: string[] = [];
    const expand = async (url: string) => {
      try {
        const codes = await room.terminology.expand('bb', url);
        outcomes[codes === undefined ? 'elsewhere' : 'expanded']! += 1;
      } catch (error) {
        const code = (error as FhirError).outcome?.issue[0]?.code ?? 'exception';
        outcomes[code] = (outcomes[code] ?? 0) + 1;
        if (!['not-found', 'too-costly'].includes(code)) failures.push(`${url}: ${(error as Error).message}`);
      }
    };
    // Over a thousand of them, each waiting for the database some times: eight at once wait together.
    for (let from = 0; from < sets.length; from += 8) await Promise.all(sets.slice(from, from + 8).map(expand));
    expect(outcomes.expanded).toBeGreaterThan(1000);
    // The specification's own example filters by a property that its code system does not define.
    expect(failures).toEqual([expect.stringMatching('ValueSet/example-filter: .* has no property acme-plasma')]);
  });
});
