/** The translation tables of mappings/hl7v2, validated once at start against the schema beside them. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../config/index.ts';
import type { RefusalKind } from './refusal.ts';
import { openTimeZone, type TimeZone } from './timestamp.ts';

export interface Code {
  code: string;
  system: string;
  display: string;
}

export interface ValueSet {
  name: string;
  oid: string;
  defaultSystem: string;
  /** Only these codes are taken; otherwise an unknown code of a known system is kept with a warning. */
  closed?: boolean;
  codes: Code[];
}

/** An OBX of the dictionary. */
export interface CodedElement {
  code: string;
  name: string;
  display?: string;
  system?: string;
  required?: boolean;
  valueSet?: string;
  modifierValueSet?: string;
}

/** A v2 element by its standard name (`ORC-12`, `PV1`) and its name in French. */
export interface Element {
  path: string;
  name: string;
}

export type FlowName = 'request' | 'cancellation' | 'answer' | 'complement';

export interface Flow {
  flow: FlowName;
  name: string;
  type: string;
  event: string;
  orderControl: string[];
  procedure: string;
  required: Element[];
  expected: Element[];
}

interface SiteSettings {
  timeZone: string;
  outboundCharset: 'UNICODE UTF-8' | '8859/15';
  /** Elements that this establishment cannot send, although the guide requires them. */
  notRequired: string[];
  /** Local codes of this establishment, by value set. */
  aliases: { valueSet: string; from: string; to: string }[];
  /** Flags of the documents sent to it, instead of the defaults. */
  flags: Record<string, 'Y' | 'N'>;
}

/** The files, by name. */
export interface MappingFiles {
  'code-systems': { systems: { uri: string; oid: string; v2: string[] }[] };
  'value-sets': Record<string, ValueSet>;
  'encounter-classes': { classes: { code: string; display: string; appointmentExpected: boolean }[] };
  'identity-status': {
    system: string;
    qualifying: string;
    fallback: string;
    codes: { code: string; as?: string; display: string; voidsIns?: boolean }[];
  };
  identifiers: {
    typeSystemInternational: string;
    typeSystemFrench: string;
    ownBase: string;
    ins: {
      oid: string;
      type: string;
      namespace: string;
      use: 'official' | 'temp' | 'secondary';
      keyChecked: boolean;
      test: boolean;
    }[];
    insTypeCodes: string[];
    neverKept: string[];
    patientTypes: Record<string, 'ipp'>;
    finess: {
      system: string;
      authorityTypes: Record<string, string>;
      nationalPrefix: string;
      typeCodes: string[];
      nationalSystem: string;
      namespace: string;
    };
    professional: {
      rppsSystem: string;
      rppsType: string;
      nationalSystem: string;
      nationalType: string;
      nationalPrefix: string;
      namespace: string;
      titlesAsSuffix: string[];
    };
  };
  observations: {
    request: {
      modality: CodedElement;
      region: CodedElement;
      observations: {
        code: string;
        display: string;
        kind: 'text' | 'quantity' | 'coded';
        name: string;
        valueSet?: string;
        interpretationValueSet?: string;
        category?: string;
      }[];
    };
    /** AL1: LOINC of what it becomes, and the words of AL1-4 (table 0128). */
    allergy: { code: string; display: string; name: string; severities: { code: string; display: string }[] };
    notes: { code: string; after: 'OBR' | 'OBX'; display: string }[];
    answer: { protocol: CodedElement };
    complement: Record<'viewerUrl' | 'act' | 'region' | 'modality' | 'product' | 'device', CodedElement>;
    units: { v2: string[]; ucum: string }[];
    retentionUnits: { v2: string[]; days: number }[];
  };
  flows: {
    acceptedVersions: string[];
    acceptedProcessing: string[];
    families: { name: string; types: string[]; profile?: string; answerVersion: string }[];
    flows: Flow[];
  };
  errors: {
    system: string;
    errors: Record<RefusalKind, { ack: 'AE' | 'AR'; code: string; text: string }>;
    conditions: Record<string, string>;
  };
  documents: {
    profile: string;
    answerProfile: string;
    report: { code: string; display: string; system: string };
    flagSystem: string;
    yesNoSystem: string;
    flags: { code: string; display: string; value: 'Y' | 'N' }[];
    participations: { sender: { code: string; display: string; system: string } };
    orderControls: { create: string; replace: string; delete: string };
    wrongResult: { orderControl: string; resultStatus: string; observationStatus: string };
    organizationTypes: { platform: string; system: string };
    answer: { accepted: string; refused: string; procedure: string; procedureDisplay: string; procedureSystem: string };
  };
  sites: { default: SiteSettings; sites: Record<string, Partial<SiteSettings>> };
}

/** What one establishment's system says differently. */
export interface Site extends Omit<SiteSettings, 'timeZone'> {
  zone: TimeZone;
}

export interface Tables extends MappingFiles {
  /** Changes when any file does. */
  fingerprint: string;
  /** Settings of a sender, `MSH-3|MSH-4`; the defaults when it has none of its own. */
  site(sender: string): Site;
}

/** Folder of the tables in this repository. */
export const mappingsFolder = join(import.meta.dirname, '../../../mappings/hl7v2');

/**
 * Reads and validates every table. `ajv` is imported here: it is needed once, at start.
 * @throws Error naming the file and the element at fault.
 */
export async function loadTables(folder: string = mappingsFolder): Promise<Tables> {
  const { Ajv } = await import('ajv');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const texts = new Map<string, string>();
  for (const name of names) texts.set(name.slice(0, -'.json'.length), await readFile(join(folder, name), 'utf8'));
  const schema = parse('schema', texts.get('schema') ?? '{}') as object;
  texts.delete('schema');
  const files = Object.fromEntries([...texts].map(([name, text]) => [name, parse(name, text)]));
  const validate = new Ajv({
    allErrors: false,
    strict: true,
    strictRequired: false,
    strictTypes: false,
  }).compile<MappingFiles>(schema);
  if (!validate(files)) {
    const [error] = validate.errors ?? [];
    throw new ConfigError(
      `mappings/hl7v2 ne suit pas son schéma : ${error?.instancePath || '/'} ${error?.message ?? ''}`,
    );
  }
  const sites = new Map(
    Object.entries(files.sites.sites).map(([sender, own]) => [sender, openSite({ ...files.sites.default, ...own })]),
  );
  const fallback = openSite(files.sites.default);
  return {
    ...files,
    fingerprint: createHash('sha256')
      .update([...texts].flat().join('\0'))
      .digest('hex')
      .slice(0, 16),
    site: (sender) => sites.get(sender) ?? fallback,
  };
}

function openSite({ timeZone, ...settings }: SiteSettings): Site {
  return { ...settings, zone: openTimeZone(timeZone) };
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`mappings/hl7v2/${name}.json n’est pas du JSON (${(error as Error).message}).`);
  }
}
