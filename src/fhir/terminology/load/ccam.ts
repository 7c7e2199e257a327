/**
 * The CCAM, from either of its published forms: the tables R_ACTE.dbf and R_MENU.dbf of the Assurance maladie, or the sheet of acts (of
 * the Assurance maladie or of the ATIH) saved as CSV. Headings become concepts above their acts.
 */
import { basename } from 'node:path';
import type { Concept } from '../concept.ts';
import { wordsOf } from '../words.ts';
import { type DbfRow, readDbf } from './dbf.ts';
import { encodingOf, findFiles, oneFile, readLines, readRecords } from './files.ts';
import { LoadError } from './load-error.ts';
import type { LoadableSystem } from './store-system.ts';

/** OID given to the CCAM in 2025 (docs/fhir-conventions.md). */
const ccamUrl = 'urn:oid:1.2.250.1.215.300.1';

export interface CcamOptions {
  /** Number of the version, as `79`; that of the file's or folder's name (`CCAM_V79`) when absent. */
  version?: string;
  /** Acts that ended before are inactive. */
  now: Date;
}

/** @param path folder with the dBase tables, or a CSV file. @throws LoadError */
export async function readCcam(path: string, options: CcamOptions): Promise<LoadableSystem> {
  const tables = await findFiles(path, /^R_ACTE\.dbf$/i);
  const concepts =
    tables.length > 0
      ? await fromTables(tables[0]!, await oneFile(path, /^R_MENU\.dbf$/i, 'R_MENU.dbf'), options.now)
      : await fromSheet(await oneFile(path, /\.(csv|txt)$/i, 'R_ACTE.dbf or CSV'));
  if (concepts.size === 0) throw new LoadError(`${path} ne contient aucun acte de la CCAM`);
  const version = options.version ?? /(?:^|[_\W])V(\d+)/i.exec(basename(path))?.[1];
  return {
    info: {
      url: ccamUrl,
      ...(version ? { version } : {}),
      name: 'CCAM',
      title: 'Classification commune des actes médicaux',
      language: 'fr',
      valueSet: `${ccamUrl}/vs`,
      properties: [],
    },
    concepts: [...concepts.values()],
  };
}

/** A table has a row for each change of an act; the last one counts. */
async function fromTables(acts: string, menus: string, now: Date): Promise<Map<string, Concept>> {
  const { concepts, codes } = headings(await readDbf(menus));
  const today = now.toISOString().slice(0, 10).replaceAll('-', '');
  const rows = (await readDbf(acts)).sort((a, b) => (changed(a) < changed(b) ? -1 : 1));
  for (const row of rows) {
    const code = row.get('COD_ACTE');
    if (!/^[A-Z]{4}\d{3}/.test(code))
      throw new LoadError(`« ${code.slice(0, 20)} » n’est pas le code d’un acte`, row.place);
    const heading = codes.get(row.get('MENU_COD'));
    const ended = row.get('DT_FIN');
    const shortName = row.get('NOM_COURT');
    concepts.set(code, {
      code,
      display: longName(row) || shortName,
      designations: shortName && longName(row) ? [{ language: 'fr', value: shortName }] : [],
      properties: [],
      parents: heading === undefined ? [] : [heading],
      abstract: false,
      inactive: /^\d{8}$/.test(ended) && ended < today,
    });
  }
  return concepts;
}

function changed(row: DbfRow): string {
  return row.get('DT_EFFET') || row.get('DT_MODIF');
}

/** A name runs over fields of 254 characters, each filled with blanks where the next begins with a new word. */
function longName(row: DbfRow): string {
  const fields = ['NOM_LONG', ...[...'0123456789ABCDE'].map((suffix) => `NOM_LONG${suffix}`)];
  return fields
    .map((field) => row.raw(field))
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Headings by the numbers printed before them (`01.02`), made of their ranks from the top. */
function headings(rows: readonly DbfRow[]): { concepts: Map<string, Concept>; codes: Map<string, string> } {
  const byId = new Map(rows.map((row) => [row.get('COD_MENU'), row]));
  const codes = new Map<string, string>();
  const numberOf = (row: DbfRow, passed: number): string | undefined => {
    if (passed > 10) throw new LoadError('les chapitres tournent en rond', row.place);
    const parent = byId.get(row.get('COD_PERE'));
    // The top is the classification itself, not a chapter of it.
    if (!parent || parent === row) return undefined;
    const above = numberOf(parent, passed + 1);
    const rank = row.get('RANG').padStart(2, '0');
    return above === undefined ? rank : `${above}.${rank}`;
  };
  const concepts = new Map<string, Concept>();
  for (const [id, row] of byId) {
    const code = numberOf(row, 0);
    if (code === undefined) continue;
    codes.set(id, code);
    concepts.set(code, heading(code, row.get('LIBELLE')));
  }
  return { concepts: parented(concepts), codes };
}

/**
 * A row with a number of a heading in its column of codes is a heading, one with a code an act; others (notes, further activities and
 * phases of the act above) say nothing about codes.
 */
async function fromSheet(path: string): Promise<Map<string, Concept>> {
  const encoding = await encodingOf(path);
  const separator = await separatorOf(path, encoding);
  const concepts = new Map<string, Concept>();
  let columns: { code: number; text: number } | undefined;
  let above: string | undefined;
  for await (const { fields, place } of readRecords(path, { separator, quotes: true, encoding })) {
    if (!columns) {
      columns = columnsOf(fields);
      continue;
    }
    const code = (fields[columns.code] ?? '').trim().replace(/\.$/, '');
    const text = (fields[columns.text] ?? '').replace(/\s+/g, ' ').trim();
    if (/^\d{1,2}(?:\.\d{1,2}){0,4}$/.test(code)) {
      const number = code
        .split('.')
        .map((part) => part.padStart(2, '0'))
        .join('.');
      above = number;
      if (!concepts.has(number)) concepts.set(number, heading(number, text));
    } else if (/^[A-Z]{4}\d{3}(?:-\d{2})?$/.test(code)) {
      if (concepts.has(code)) continue;
      if (text === '') throw new LoadError(`l’acte ${code} n’a pas de libellé`, place);
      concepts.set(code, {
        ...{ code, display: text, designations: [], properties: [], parents: above === undefined ? [] : [above] },
        ...{ abstract: false, inactive: false },
      });
    }
  }
  if (!columns)
    throw new LoadError('aucune ligne ne nomme les colonnes : une pour le code, une pour le libellé', basename(path));
  return parented(concepts);
}

/** The row of names may stand below a title: undefined for rows before it. */
function columnsOf(fields: readonly string[]): { code: number; text: number } | undefined {
  const names = fields.map((field) => wordsOf(field.replace(/^\uFEFF/, '')));
  const code = names.findIndex((words) => words.includes('code'));
  const text = names.findIndex((words) => ['libelle', 'libelles', 'texte'].some((word) => words.includes(word)));
  return code < 0 || text < 0 || code === text ? undefined : { code, text };
}

async function separatorOf(path: string, encoding: 'utf-8' | 'windows-1252'): Promise<',' | ';' | '\t'> {
  let first = '';
  for await (const { text } of readLines(path, encoding)) {
    first = text;
    if (/[;,\t]/.test(first)) break;
  }
  const count = (separator: string) => first.split(separator).length;
  return ([';', '\t', ','] as const).reduce((best, next) => (count(next) > count(best) ? next : best));
}

function heading(code: string, display: string): Concept {
  return { code, display, designations: [], properties: [], parents: [], abstract: true, inactive: false };
}

/** `01.02` stands below `01`, where that is there. */
function parented(concepts: Map<string, Concept>): Map<string, Concept> {
  for (const [code, concept] of concepts) {
    if (!/^\d/.test(code)) continue;
    let parent = code;
    do parent = parent.slice(0, Math.max(0, parent.lastIndexOf('.')));
    while (parent !== '' && !concepts.has(parent));
    if (parent !== '') concepts.set(code, { ...concept, parents: [parent] });
  }
  return concepts;
}
