import type { Bundle, CodeSystem, ValueSet } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/config/index.ts';
import { listLoaded, loadTerminology, removeLoaded, systemContext } from '../../../src/fhir/index.ts';
import { splitQuoted } from '../../../src/fhir/terminology/load/files.ts';
import { dbf, table, temporaryFolder } from './files.ts';
import { type TestRoom, testRoom } from './room.ts';

let room: TestRoom;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  room = await testRoom();
});
afterAll(() => room.close());
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const context = (tenant = 'aa') => systemContext(tenant, 'system:test', systemClock);
const load = (kind: string, path = folder.path, options: Parameters<typeof loadTerminology>[4] = {}) =>
  loadTerminology(room.store, context(), kind, path, options);
const valid = (system: string, code: string, display?: string) =>
  room.terminology.validateCode('aa', { system, code, ...(display === undefined ? {} : { display }) });
const codes = async (valueSet: string) =>
  (await room.terminology.expand('aa', valueSet))?.map(({ code }) => code).sort();

describe('LOINC', () => {
  const head = ['LOINC_NUM', 'COMPONENT', 'SYSTEM', 'STATUS', 'LONG_COMMON_NAME', 'SHORTNAME', 'VersionLastChanged'];
  const loinc = table(
    ',',
    head.map((name) => `"${name}"`),
    ['"10-1"', '"Invented ""big"" thing"', '"Chest"', '"ACTIVE"', '"Invented, of chest"', '"Inv"', '"2.9"'],
    ['"11-9"', '"Old\nthing"', '"Head"', '"DEPRECATED"', '"Old of head"', '""', '"2.10"'],
  );
  const hierarchy = table(
    ',',
    ['PATH_TO_ROOT', 'SEQUENCE', 'IMMEDIATE_PARENT', 'CODE', 'CODE_TEXT'],
    ['', 1, '', 'LP1-1', 'Things'],
    ['LP1-1', 1, 'LP1-1', 'LP2-2', 'Chest things'],
    ['LP1-1.LP2-2', 1, 'LP2-2', '10-1', 'Invented'],
    ['LP1-1', 2, 'LP1-1', '11-9', 'Old'],
  );

  it('is read with its hierarchy and its French names', async () => {
    await folder.write('LoincTable/Loinc.csv', loinc);
    await folder.write('AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv', hierarchy);
    await folder.write(
      'AccessoryFiles/LinguisticVariants/frFR18LinguisticVariant.csv',
      table(',', ['LOINC_NUM', 'COMPONENT', 'SYSTEM', 'LONG_COMMON_NAME'], ['10-1', 'Chose inventée', 'Thorax', '']),
    );
    await load('loinc');
    expect(await valid('http://loinc.org', '10-1')).toEqual({ valid: true, display: 'Invented, of chest' });
    expect(await valid('http://loinc.org|2.10', '11-9')).toMatchObject({ valid: true, inactive: true });
    expect(await valid('http://loinc.org', '10-1', 'Chose inventée:Thorax')).toMatchObject({ valid: true });
    expect(await codes('http://loinc.org/vs')).toEqual(['10-1', '11-9', 'LP1-1', 'LP2-2']);
    const below = await room.terminology.related('aa', { system: 'http://loinc.org', code: 'LP1-1' }, 'below');
    expect(below?.toSorted()).toEqual(['10-1', '11-9', 'LP1-1', 'LP2-2']);
    await room.put('aa', {
      resourceType: 'ValueSet',
      id: 'chest',
      url: 'urn:test:chest',
      status: 'active',
      compose: { include: [{ system: 'http://loinc.org', filter: [{ property: 'SYSTEM', op: '=', value: 'Chest' }] }] },
    });
    expect(await codes('urn:test:chest')).toEqual(['10-1']);
    const described = await room.store.search('aa', 'CodeSystem', 'url=http://loinc.org');
    expect(described).toMatchObject([{ content: 'not-present', version: '2.10', count: 4 }]);
  });

  it('is refused with the line that is wrong, and what was there stays', async () => {
    await folder.write('Loinc.csv', loinc);
    await load('loinc');
    await folder.write('Loinc.csv', `${loinc}"12-7","too few"\r\n`);
    await expect(load('loinc')).rejects.toThrow('Loinc.csv:5 : 2 champs au lieu de 7');
    await folder.write('Loinc.csv', `${loinc}"12-7","never closed`);
    await expect(load('loinc')).rejects.toThrow('Loinc.csv:5 : un guillemet n’est jamais fermé');
    await folder.write('Loinc.csv', 'A,B\n1,2\n');
    await expect(load('loinc')).rejects.toThrow(
      'Loinc.csv:1 : il manque la colonne LOINC_NUM, LONG_COMMON_NAME, STATUS',
    );
    await folder.write('Loinc.csv', Buffer.concat([Buffer.from(loinc), Buffer.from([0xe9, 0x0a])]));
    await expect(load('loinc')).rejects.toThrow('ce n’est pas du utf-8');
    expect(await valid('http://loinc.org', '10-1')).toMatchObject({ valid: true });
    await expect(load('loinc', `${folder.path}/none`)).rejects.toThrow('n’existe pas');
    await expect(load('lonic')).rejects.toThrow('« lonic » est inconnu : loinc, snomed, ccam, cim10, fhir');
  });
});

describe('SNOMED CT', () => {
  const isA = '116680003';
  const tab = (...rows: (string | number)[][]) => table('\t', ...rows);
  const write = async () => {
    const at = (name: string) => `Snapshot/Terminology/sct2_${name}_20260101.txt`;
    await folder.write(
      at('Concept_Snapshot_INT'),
      tab(
        ['id', 'effectiveTime', 'active', 'moduleId', 'definitionStatusId'],
        ...['100', '200', '300'].map((id) => [id, '20260101', 1, '900000000000207008', '900000000000074008']),
        ['400', '20250101', 0, '900000000000207008', '900000000000074008'],
      ),
    );
    await folder.write(
      at('Concept_Snapshot_FR1000315'),
      tab(
        ['id', 'effectiveTime', 'active', 'moduleId', 'definitionStatusId'],
        ['200', '20240101', 0, '11000315107', '900000000000074008'],
      ),
    );
    const description = ['id', 'effectiveTime', 'active', 'moduleId', 'conceptId', 'languageCode', 'typeId', 'term'];
    const fsn = '900000000000003001';
    const synonym = '900000000000013009';
    await folder.write(
      at('Description_Snapshot-en_INT'),
      tab(
        [...description, 'caseSignificanceId'],
        ['1', 20260101, 1, 'm', '100', 'en', fsn, 'Invented root (thing)', 'c'],
        ['2', 20260101, 1, 'm', '200', 'en', fsn, 'Invented organ (organ)', 'c'],
        ['3', 20260101, 1, 'm', '200', 'en', synonym, 'Organ "invented"', 'c'],
        ['4', 20260101, 1, 'm', '200', 'en', synonym, 'Preferred organ', 'c'],
        ['5', 20260101, 0, 'm', '200', 'en', synonym, 'Forgotten organ', 'c'],
        ['6', 20260101, 1, 'm', '999', 'en', synonym, 'Of nobody', 'c'],
      ),
    );
    await folder.write(
      at('Description_Snapshot-fr_FR1000315'),
      tab([...description, 'caseSignificanceId'], ['7', 20260101, 1, 'm', '200', 'fr', synonym, 'Organe inventé', 'c']),
    );
    const relationship = [
      'id',
      'effectiveTime',
      'active',
      'moduleId',
      'sourceId',
      'destinationId',
      'relationshipGroup',
    ];
    const inferred = '900000000000011006';
    await folder.write(
      at('Relationship_Snapshot_INT'),
      tab(
        [...relationship, 'typeId', 'characteristicTypeId', 'modifierId'],
        ['1', 20260101, 1, 'm', '200', '100', 0, isA, inferred, 'x'],
        ['2', 20260101, 1, 'm', '300', '200', 0, isA, inferred, 'x'],
        ['3', 20260101, 0, 'm', '300', '400', 0, isA, inferred, 'x'],
        ['4', 20260101, 1, 'm', '300', '200', 1, '363698007', inferred, 'x'],
        ['5', 20260101, 1, 'm', '100', '300', 0, isA, '900000000000010007', 'x'],
      ),
    );
    await folder.write(
      'Snapshot/Refset/Language/der2_cRefset_LanguageSnapshot-en_INT_20260101.txt',
      tab(
        ['id', 'effectiveTime', 'active', 'moduleId', 'refsetId', 'referencedComponentId', 'acceptabilityId'],
        ['a', 20260101, 1, 'm', 'r', '4', '900000000000548007'],
      ),
    );
  };
  const sct = 'http://snomed.info/sct';

  it('is read from its snapshot, with names, hierarchy and attributes', async () => {
    await write();
    await load('snomed');
    expect(await valid(sct, '200')).toEqual({ valid: true, display: 'Preferred organ' });
    for (const name of ['Organ "invented"', 'Organe inventé', 'Invented organ (organ)'])
      expect(await valid(sct, '200', name)).toMatchObject({ valid: true });
    expect(await valid(sct, '200', 'Forgotten organ')).toMatchObject({ valid: false });
    expect(await valid(sct, '400')).toMatchObject({ valid: true, inactive: true });
    expect(await valid(`${sct}|${sct}/900000000000207008/version/20260101`, '100')).toMatchObject({ valid: true });
    expect(await room.terminology.related('aa', { system: sct, code: '300' }, 'above')).toEqual(
      expect.arrayContaining(['300', '200', '100']),
    );
    expect(await codes(`${sct}?fhir_vs=isa/200`)).toEqual(['200', '300']);
    expect(await codes(`${sct}?fhir_vs`)).toHaveLength(4);
    await room.put('aa', {
      resourceType: 'ValueSet',
      id: 'site',
      url: 'urn:test:site',
      status: 'active',
      compose: { include: [{ system: sct, filter: [{ property: '363698007', op: '=', value: '200' }] }] },
    });
    expect(await codes('urn:test:site')).toEqual(['300']);
  });

  it('is removed again, with what describes it', async () => {
    await write();
    await load('snomed');
    await room.store.transaction(context(), async (tx) => {
      expect((await listLoaded(tx)).map(({ url }) => url)).toContain(sct);
      expect(await removeLoaded(tx, sct, 'none')).toBe(0);
      expect(await removeLoaded(tx, sct)).toBe(1);
    });
    expect(await valid(sct, '200')).toBeUndefined();
    expect(await room.store.search('aa', 'CodeSystem', `url=${sct}`)).toEqual([]);
  });

  it('needs its files', async () => {
    await folder.write('sct2_Concept_Snapshot_INT.txt', 'id\n');
    await expect(load('snomed')).rejects.toThrow('ne contient pas de sct2_Description_Snapshot');
  });
});

describe('CCAM', () => {
  const ccam = 'urn:oid:1.2.250.1.215.300.1';

  it('is read from the dBase tables, headings above acts, the last row of an act counting', async () => {
    await folder.write(
      'CCAM_V99/R_MENU.dbf',
      dbf({ COD_MENU: 6, RANG: 4, LIBELLE: 60, COD_PERE: 6 }, [
        { COD_MENU: '1', RANG: '1', LIBELLE: 'CCAM', COD_PERE: '0' },
        { COD_MENU: '2', RANG: '1', LIBELLE: 'Système inventé', COD_PERE: '1' },
        { COD_MENU: '3', RANG: '2', LIBELLE: 'Imagerie', COD_PERE: '2' },
      ]),
    );
    const columns = { COD_ACTE: 13, MENU_COD: 6, NOM_COURT: 40, NOM_LONG: 20, NOM_LONG0: 30, DT_EFFET: 8, DT_FIN: 8 };
    await folder.write(
      'CCAM_V99/R_ACTE.dbf',
      dbf(columns, [
        { COD_ACTE: 'ZZQK999', MENU_COD: '3', NOM_COURT: 'Scano', NOM_LONG: 'Scanographie', DT_EFFET: '20260101' },
        { COD_ACTE: 'ZZQK999', MENU_COD: '2', NOM_LONG: 'Ancien nom', DT_EFFET: '20050101' },
        {
          COD_ACTE: 'ZZQN998',
          MENU_COD: '3',
          NOM_LONG: 'IRM de la tête et',
          NOM_LONG0: 'du cou à gauche',
          DT_FIN: '20100101',
        },
        { COD_ACTE: 'ZZQN997', NOM_LONG: 'Effacé', deleted: 'yes' },
      ]),
    );
    await load('ccam', `${folder.path}/CCAM_V99`);
    expect(await valid(`${ccam}|99`, 'ZZQK999')).toEqual({ valid: true, display: 'Scanographie' });
    expect(await valid(ccam, 'ZZQN998', 'IRM de la tête et du cou à gauche')).toMatchObject({
      valid: true,
      inactive: true,
    });
    expect(await valid(ccam, 'ZZQN997')).toEqual({ valid: false });
    expect(await valid(ccam, '01.02')).toMatchObject({ display: 'Imagerie' });
    expect(await room.terminology.related('aa', { system: ccam, code: '01' }, 'below')).toEqual(
      expect.arrayContaining(['01', '01.02', 'ZZQK999', 'ZZQN998']),
    );
  });

  it('is read from a sheet saved as CSV, whatever its title, separator and character set', async () => {
    const sheet = [
      'CCAM version inventée;;',
      '"Code à 7 caractères";Act;"Texte : titre-libellés-notes"',
      '1;;SYSTÈME INVENTÉ',
      '01.01;;ACTES DIAGNOSTIQUES',
      'ZZQK999;1;"Échographie; de l\'œil"',
      ';4;anesthésie',
      ';;Une note',
      'ZZQK999;4;autre ligne du même acte',
      'ZZQK998-01;1;Radiographie',
    ].join('\r\n');
    await folder.write('CCAM_V100.csv', Buffer.from(sheet.replaceAll('œ', '\x9c'), 'latin1'));
    await load('ccam', `${folder.path}/CCAM_V100.csv`);
    expect(await valid(`${ccam}|100`, 'ZZQK999')).toEqual({ valid: true, display: "Échographie; de l'œil" });
    expect(await valid(ccam, 'ZZQK998-01')).toMatchObject({ valid: true });
    const below = await room.terminology.related('aa', { system: ccam, code: '01' }, 'below');
    expect(below?.toSorted()).toEqual(['01', '01.01', 'ZZQK998-01', 'ZZQK999']);
  });

  it('is known under another URL when told so', async () => {
    const path = await folder.write('acts.csv', 'code,libellé\nZZQK999,Acte\n');
    await load('ccam', path, { url: 'urn:test:ccam', version: '7' });
    expect(await valid('urn:test:ccam|7', 'ZZQK999')).toMatchObject({ valid: true });
  });

  it('is refused when nothing in the file is an act, or the table is cut short', async () => {
    const sheet = await folder.write('x.csv', 'code;libelle\nhello;world\n');
    await expect(load('ccam', sheet)).rejects.toThrow('ne contient aucun acte');
    await expect(load('ccam', await folder.write('y.csv', 'a;b\n'))).rejects.toThrow('ne nomme les colonnes');
    await folder.write('R_MENU.dbf', dbf({ COD_MENU: 6 }, []));
    await folder.write('R_ACTE.dbf', dbf({ COD_ACTE: 13 }, [{ COD_ACTE: 'ZZQK999' }]).subarray(0, -5));
    await expect(load('ccam')).rejects.toThrow('R_ACTE.dbf : finit avant ses 1 enregistrements');
    await folder.write('R_ACTE.dbf', dbf({ COD_ACTE: 13 }, [{ COD_ACTE: 'WRONG' }]));
    await expect(load('ccam')).rejects.toThrow('R_ACTE.dbf, enregistrement 1');
  });
});

describe('CIM-10 FR', () => {
  const icd = 'http://hl7.org/fhir/sid/icd-10';
  it('is read from the file of the ATIH, codes as everybody writes them', async () => {
    const lines =
      'Q99   |0|OOO|0|INVENTEE|Maladie inventée\r\nQ990  |0|OOO|0|INV. G|Maladie inventée à gauche\r\nQ99+8 |3|NNN|3|INV|\r\n';
    await folder.write('LIBCIM10MULTI.TXT', Buffer.from(lines, 'latin1'));
    await load('cim10', folder.path, { version: '2026' });
    expect(await valid(`${icd}|2026`, 'Q99.0')).toEqual({ valid: true, display: 'Maladie inventée à gauche' });
    expect(await valid(icd, 'Q99+8')).toMatchObject({ valid: true, display: 'INV' });
    expect(await room.terminology.related('aa', { system: icd, code: 'Q99' }, 'below')).toEqual(
      expect.arrayContaining(['Q99', 'Q99.0', 'Q99+8']),
    );
    await folder.write('LIBCIM10MULTI.TXT', 'Q99|0|OOO|0|A|B\nQ99|0\n');
    await expect(load('cim10')).rejects.toThrow('LIBCIM10MULTI.TXT:2 : 2 champs au lieu de 6');
  });
});

describe('FHIR files', () => {
  const system: CodeSystem = {
    resourceType: 'CodeSystem',
    id: 'colours',
    url: 'urn:test:colours',
    version: '1',
    status: 'active',
    content: 'complete',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>' },
    concept: [{ code: 'red', concept: [{ code: 'crimson' }] }],
  };
  const set: ValueSet = {
    resourceType: 'ValueSet',
    url: 'urn:test:vs:colours',
    status: 'active',
    compose: { include: [{ system: 'urn:test:colours' }] },
  };

  it('of a package or a Bundle become resources; the same URL is replaced, a taken id is left alone', async () => {
    await room.put('aa', {
      resourceType: 'CodeSystem',
      id: 'colours',
      url: 'urn:else',
      status: 'active',
      content: 'complete',
    });
    const bundle: Bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: set }] };
    await folder.write('package/package.json', '{"name":"x"}');
    await folder.write('package/CodeSystem-colours.json', JSON.stringify(system));
    await folder.write('package/Bundle-x.json', JSON.stringify(bundle));
    await folder.write('package/Patient-x.json', '{"resourceType":"Patient"}');
    await load('fhir');
    expect(await codes('urn:test:vs:colours')).toEqual(['crimson', 'red']);
    expect(await room.store.read('aa', 'CodeSystem', 'colours')).toMatchObject({ url: 'urn:else' });
    await folder.write('package/CodeSystem-colours.json', JSON.stringify({ ...system, concept: [{ code: 'blue' }] }));
    await load('fhir');
    expect(await codes('urn:test:vs:colours')).toEqual(['blue']);
    expect(await room.store.search('aa', 'ValueSet', 'url=urn:test:vs:colours')).toHaveLength(1);
  });

  it('with thousands of concepts go into tables', async () => {
    const many = Array.from({ length: 2500 }, (_, n) => ({ code: `n${n}`, display: `Nombre ${n}` }));
    await folder.write('many.json', JSON.stringify({ ...system, id: 'many', url: 'urn:test:many', concept: many }));
    await load('fhir');
    expect(await valid('urn:test:many', 'n2499')).toEqual({ valid: true, display: 'Nombre 2499' });
    const stored = await room.store.read('aa', 'CodeSystem', 'many');
    expect(stored).toMatchObject({ content: 'not-present', count: 2500 });
    expect(stored.concept).toBeUndefined();
  });

  it('are stored all or none, and the wrong one is named', async () => {
    await folder.write('a.json', JSON.stringify({ ...set, url: 'urn:test:first' }));
    await folder.write('b.json', JSON.stringify({ ...set, status: 'wrong' }));
    await expect(load('fhir')).rejects.toThrow(/^b\.json : ValueSet urn:test:vs:colours : ValueSet\.status/);
    expect(await room.store.search('aa', 'ValueSet', 'url=urn:test:first')).toEqual([]);
    await folder.write('b.json', '{\n"a":\n}');
    await expect(load('fhir')).rejects.toThrow('b.json : ce n’est pas du JSON (Unexpected token');
  });

  it('a system loaded from official files does not replace one that is stored with its codes', async () => {
    const path = await folder.write('acts.csv', 'code,libellé\nZZQK999,Acte\n');
    await room.put('aa', { ...system, id: 'held', url: 'urn:test:held', text: undefined } as CodeSystem);
    await expect(load('ccam', path, { url: 'urn:test:held' })).rejects.toThrow('CodeSystem/held');
  });
});

describe('fields in quotes', () => {
  it('are parted as RFC 4180 says', () => {
    expect(splitQuoted('a,"b,""c""",,"d"', ',')).toEqual(['a', 'b,"c"', '', 'd']);
    expect(splitQuoted('"open', ',')).toBeUndefined();
    expect(splitQuoted('', ',')).toEqual(['']);
  });
});
