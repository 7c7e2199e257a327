/** Tables of the CDA header (`mappings/cda/tables.json`), checked against their schema before use. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

export interface EncounterEntry {
  code: string;
  /** OID of the code's system. */
  system: string;
  display: string;
  /** Words for people, on the printed report. */
  person: string;
}

export interface CdaTables {
  modalities: Record<string, string>;
  regions: Record<string, string>;
  specialities: Record<string, string>;
  practiceSettings: Record<string, string>;
  facilityTypes: Record<string, string>;
  encounters: Record<string, EncounterEntry> & { default: EncounterEntry };
}

const folder = new URL('../../../mappings/cda/', import.meta.url);

/** @throws Error naming the offending path when the file breaks its schema */
export function loadCdaTables(): CdaTables {
  const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as object;
  const tables = read('tables.json');
  const validate = new Ajv({ allErrors: true }).compile<CdaTables>(read('tables.schema.json'));
  if (validate(tables)) return tables;
  const reasons = (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  throw new Error(`mappings/cda/tables.json breaks its schema: ${reasons.join('; ')}`);
}
