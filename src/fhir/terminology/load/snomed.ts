/** SNOMED CT in Release Format 2, snapshot files (https://docs.snomed.org, RF2 specification; https://hl7.org/fhir/R4/snomedct.html). */
import type { Coding } from '@medplum/fhirtypes';
import type { Concept, ConceptProperty, Designation } from '../concept.ts';
import { findFiles, readTable, type TableFormat } from './files.ts';
import { LoadError } from './load-error.ts';
import type { LoadableSystem } from './store-system.ts';

const snomedUrl = 'http://snomed.info/sct';

const fullySpecifiedName = '900000000000003001';
const isA = '116680003';
const statedRelationship = '900000000000010007';
const sufficientlyDefined = '900000000000073002';
const preferred = '900000000000548007';
const internationalModule = '900000000000207008';

/** What a designation is: preferred among the names of its language, one more name, or the name that tells it from all others. */
const uses: Readonly<Record<'preferred' | 'synonym' | 'fsn', Coding>> = {
  preferred: { system: 'http://terminology.hl7.org/CodeSystem/designation-usage', code: 'display' },
  synonym: { system: snomedUrl, code: '900000000000013009', display: 'Synonym' },
  fsn: { system: snomedUrl, code: fullySpecifiedName, display: 'Fully specified name' },
};

const rf2: Omit<TableFormat, 'columns'> = { separator: '\t', quotes: false };

export interface SnomedOptions {
  /** Version as FHIR writes it; the international edition of the newest concept when absent. */
  version?: string;
  progress?(line: string): void;
}

interface Draft {
  code: string;
  /** Date of the row, `20260101`. */
  changed: string;
  active: boolean;
  names: { language: string; type: 'preferred' | 'synonym' | 'fsn'; value: string }[];
  parents: string[];
  properties: ConceptProperty[];
}

/** @param path folder with the snapshot files of a release or extract. @throws LoadError */
export async function readSnomed(path: string, options: SnomedOptions = {}): Promise<LoadableSystem> {
  const conceptFiles = await findFiles(path, /^x?sct2_Concept_Snapshot.*\.txt$/);
  const descriptionFiles = await findFiles(path, /^x?sct2_Description_Snapshot.*\.txt$/);
  const relationshipFiles = await findFiles(path, /^x?sct2_Relationship_Snapshot.*\.txt$/);
  if (conceptFiles.length === 0) throw new LoadError(`${path} ne contient pas de sct2_Concept_Snapshot`);
  if (descriptionFiles.length === 0) throw new LoadError(`${path} ne contient pas de sct2_Description_Snapshot`);
  if (relationshipFiles.length === 0) throw new LoadError(`${path} ne contient pas de sct2_Relationship_Snapshot`);
  const progress = options.progress ?? (() => undefined);

  const drafts = new Map<string, Draft>();
  let newest = '';
  for (const file of conceptFiles) {
    const latest = await addConcepts(file, drafts);
    if (latest > newest) newest = latest;
  }
  progress(`${drafts.size} concepts lus`);
  const preferredNames = await readPreferred(path);
  for (const file of descriptionFiles) await addDescriptions(file, drafts, preferredNames);
  progress('descriptions lues');
  const attributes = new Set<string>();
  for (const file of relationshipFiles) await addRelationships(file, drafts, attributes);
  progress('relations lues');
  const language = languageOf(drafts);
  return {
    info: {
      url: snomedUrl,
      version: options.version ?? `${snomedUrl}/${internationalModule}/version/${newest}`,
      name: 'SNOMEDCT',
      title: 'SNOMED CT',
      language,
      valueSet: `${snomedUrl}?fhir_vs`,
      properties: [
        { code: 'moduleId', type: 'code' },
        { code: 'sufficientlyDefined', type: 'boolean' },
        ...[...attributes].map((code) => ({ code, type: 'code' as const })),
      ],
    },
    concepts: Array.from(drafts.values(), (draft) => conceptOf(draft, language)),
  };
}

/** @returns the newest date. An edition repeats concepts of the one it builds on: the newer row counts. */
async function addConcepts(file: string, drafts: Map<string, Draft>): Promise<string> {
  let newest = '';
  for await (const row of readTable(file, { ...rf2, columns: ['id', 'effectiveTime', 'active', 'moduleId'] })) {
    const [code, changed] = [row.get('id'), row.get('effectiveTime')];
    if (changed > newest) newest = changed;
    const known = drafts.get(code);
    if (known && known.changed >= changed) continue;
    const isDefined = row.get('definitionStatusId') === sufficientlyDefined;
    drafts.set(code, {
      code,
      changed,
      active: row.get('active') === '1',
      names: [],
      parents: [],
      properties: [
        { code: 'moduleId', type: 'code', value: row.get('moduleId') },
        { code: 'sufficientlyDefined', type: 'boolean', value: String(isDefined) },
      ],
    });
  }
  return newest;
}

/** Ids of descriptions that a language reference set prefers. */
async function readPreferred(path: string): Promise<Set<string>> {
  const ids = new Set<string>();
  const columns = ['active', 'referencedComponentId', 'acceptabilityId'];
  for (const file of await findFiles(path, /^x?der2_cRefset_LanguageSnapshot.*\.txt$/)) {
    for await (const row of readTable(file, { ...rf2, columns }))
      if (row.get('active') === '1' && row.get('acceptabilityId') === preferred)
        ids.add(row.get('referencedComponentId'));
  }
  return ids;
}

async function addDescriptions(file: string, drafts: ReadonlyMap<string, Draft>, preferredNames: ReadonlySet<string>) {
  const columns = ['id', 'active', 'conceptId', 'languageCode', 'typeId', 'term'];
  for await (const row of readTable(file, { ...rf2, columns })) {
    if (row.get('active') !== '1') continue;
    const draft = drafts.get(row.get('conceptId'));
    // Extracts may describe what they do not hold.
    if (!draft) continue;
    const isFull = row.get('typeId') === fullySpecifiedName;
    const type = isFull ? 'fsn' : preferredNames.has(row.get('id')) ? 'preferred' : 'synonym';
    draft.names.push({ language: row.get('languageCode'), type, value: row.get('term') });
  }
}

async function addRelationships(file: string, drafts: ReadonlyMap<string, Draft>, attributes: Set<string>) {
  const columns = ['active', 'sourceId', 'destinationId', 'typeId', 'characteristicTypeId'];
  for await (const row of readTable(file, { ...rf2, columns })) {
    if (row.get('active') !== '1' || row.get('characteristicTypeId') === statedRelationship) continue;
    const source = drafts.get(row.get('sourceId'));
    const [target, type] = [row.get('destinationId'), row.get('typeId')];
    if (!source || !drafts.has(target)) continue;
    if (type === isA) {
      if (source.active && !source.parents.includes(target)) source.parents.push(target);
    } else {
      attributes.add(type);
      source.properties.push({ code: type, type: 'code', value: target });
    }
  }
}

/** English where there is any: the language every edition has. */
function languageOf(drafts: ReadonlyMap<string, Draft>): string {
  const counts = new Map<string, number>();
  for (const { names } of drafts.values())
    for (const { language } of names) counts.set(language, (counts.get(language) ?? 0) + 1);
  if (counts.has('en')) return 'en';
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'en';
}

function conceptOf({ code, active, names, parents, properties }: Draft, language: string): Concept {
  const own = names.filter((name) => name.language === language);
  const shownName =
    own.find(({ type }) => type === 'preferred') ??
    own.find(({ type }) => type === 'synonym') ??
    own.find(({ type }) => type === 'fsn') ??
    names[0];
  return {
    code,
    ...(shownName ? { display: shownName.value } : {}),
    designations: names
      .filter((name) => name !== shownName)
      .map(({ language: spoken, type, value }): Designation => ({ language: spoken, use: uses[type], value })),
    properties,
    parents,
    abstract: false,
    inactive: !active,
  };
}
