/** LOINC as Regenstrief publishes it: Loinc.csv, the component hierarchy and linguistic variants (https://loinc.org/downloads/). */
import { basename } from 'node:path';
import { compareVersions } from '../canonical.ts';
import type { Concept, ConceptProperty, Designation } from '../concept.ts';
import { findFiles, oneFile, readTable, type TableFormat } from './files.ts';
import type { LoadableSystem } from './store-system.ts';

const loincUrl = 'http://loinc.org';

/** Columns that are properties of the code system in FHIR (https://hl7.org/fhir/R4/loinc.html). */
const propertyColumns = [
  ...['COMPONENT', 'PROPERTY', 'TIME_ASPCT', 'SYSTEM', 'SCALE_TYP', 'METHOD_TYP', 'CLASS', 'CLASSTYPE', 'STATUS'],
  ...['ORDER_OBS', 'VersionLastChanged', 'VersionFirstReleased', 'EXAMPLE_UCUM_UNITS', 'PanelType'],
];
const csv: Omit<TableFormat, 'columns'> = { separator: ',', quotes: true };

export interface LoincOptions {
  /** Release; the newest change of a term when absent. */
  version?: string;
}

/** @param path folder of a release (its subfolders are searched), or Loinc.csv alone. @throws LoadError */
export async function readLoinc(path: string, options: LoincOptions = {}): Promise<LoadableSystem> {
  const table = await oneFile(path, /^Loinc\.csv$/i, 'Loinc.csv');
  const [hierarchy] = await findFiles(path, /^(ComponentHierarchyBySystem|MultiAxialHierarchy)\.csv$/i);
  const variants = await findFiles(path, /^[a-z]{2}[A-Z]{2}\d+LinguisticVariant\.csv$/);
  const concepts = new Map<string, Concept & { parents: string[]; designations: Designation[] }>();
  let newest = '';
  for await (const row of readTable(table, { ...csv, columns: ['LOINC_NUM', 'LONG_COMMON_NAME', 'STATUS'] })) {
    const code = row.get('LOINC_NUM');
    const properties = propertyColumns.flatMap((column): ConceptProperty[] => {
      const value = row.get(column);
      return value === '' ? [] : [{ code: column, type: 'string', value }];
    });
    const changed = row.get('VersionLastChanged');
    if (compareVersions(changed, newest) > 0) newest = changed;
    const definition = row.get('DefinitionDescription');
    concepts.set(code, {
      code,
      display: row.get('LONG_COMMON_NAME') || row.get('SHORTNAME') || code,
      ...(definition ? { definition } : {}),
      designations: ['SHORTNAME', 'CONSUMER_NAME', 'DisplayName'].flatMap((column) => {
        const value = row.get(column);
        return value ? [{ language: 'en', use: { system: loincUrl, code: column }, value }] : [];
      }),
      properties,
      parents: [],
      abstract: false,
      inactive: row.get('STATUS') === 'DEPRECATED',
    });
  }
  if (hierarchy) await addHierarchy(hierarchy, concepts);
  for (const variant of variants) await addVariant(variant, concepts);
  const version = options.version ?? newest;
  return {
    info: {
      url: loincUrl,
      ...(version ? { version } : {}),
      name: 'LOINC',
      title: 'Logical Observation Identifiers, Names and Codes',
      language: 'en',
      valueSet: `${loincUrl}/vs`,
      properties: propertyColumns.map((code) => ({ code, type: 'string' })),
    },
    concepts: [...concepts.values()],
  };
}

/** Parts group terms; a term stands wherever its parts stand. */
async function addHierarchy(
  path: string,
  concepts: Map<string, Concept & { parents: string[]; designations: Designation[] }>,
): Promise<void> {
  const links: [code: string, parent: string][] = [];
  for await (const row of readTable(path, { ...csv, columns: ['IMMEDIATE_PARENT', 'CODE', 'CODE_TEXT'] })) {
    const [code, parent] = [row.get('CODE'), row.get('IMMEDIATE_PARENT')];
    if (!concepts.has(code)) {
      concepts.set(code, {
        ...{ code, display: row.get('CODE_TEXT') || code, designations: [], properties: [], parents: [] },
        ...{ abstract: true, inactive: false },
      });
    }
    if (parent) links.push([code, parent]);
  }
  for (const [code, parent] of links) {
    const { parents } = concepts.get(code)!;
    if (concepts.has(parent) && !parents.includes(parent)) parents.push(parent);
  }
}

/** Names in another language; where no whole name is given, the parts of the name are. */
async function addVariant(
  path: string,
  concepts: Map<string, Concept & { designations: Designation[] }>,
): Promise<void> {
  const [, language, country] = /^([a-z]{2})([A-Z]{2})/.exec(basename(path))!;
  const parts = ['COMPONENT', 'PROPERTY', 'TIME_ASPCT', 'SYSTEM', 'SCALE_TYP', 'METHOD_TYP'];
  for await (const row of readTable(path, { ...csv, columns: ['LOINC_NUM', 'COMPONENT'] })) {
    const fromParts = parts.map((part) => row.get(part)).filter((part) => part !== '');
    const value = row.get('LinguisticVariantDisplayName') || row.get('LONG_COMMON_NAME') || fromParts.join(':');
    if (value) concepts.get(row.get('LOINC_NUM'))?.designations.push({ language: `${language}-${country}`, value });
  }
}
