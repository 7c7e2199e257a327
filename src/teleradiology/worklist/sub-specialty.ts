/** Which sub-specialty a request calls for (WF-11): by act and body site, as `mappings/worklist/sub-specialties.json` declares. */
import { readFileSync } from 'node:fs';
import type { CodeableConcept, Coding, PractitionerRole, ServiceRequest } from '@medplum/fhirtypes';
import { Ajv } from 'ajv';
import { passerelle } from '../codes.ts';

export const subSpecialtySystem = `${passerelle}/CodeSystem/sub-specialty`;

interface SubSpecialtyTables {
  specialties: { code: string; display: string }[];
  /** Of a request that no rule knows: any radiologist's. */
  general: string;
  /** Acts by the beginning of their code; the longest beginning that fits counts. */
  acts: { system: string; prefix: string; specialty: string }[];
  sites: { system: string; code: string; specialty: string }[];
}

export interface SubSpecialties {
  /** Code of the sub-specialty a request calls for. */
  of(request: Pick<ServiceRequest, 'code' | 'orderDetail' | 'bodySite'> | undefined): string;
  /** Codes a reader declares by their roles; none: they read everything alike. */
  declared(roles: readonly Pick<PractitionerRole, 'specialty'>[]): string[];
  /** French name. */
  nameOf(code: string): string;
  general: string;
  /** Changes with the tables: rows made by others are made anew. */
  version: string;
}

const folder = new URL('../../../mappings/worklist/', import.meta.url);

/** @throws Error naming the offending path when the file breaks its schema, or a rule names a sub-specialty that is not declared. */
export function loadSubSpecialties(): SubSpecialties {
  const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');
  const text = read('sub-specialties.json');
  const tables = JSON.parse(text) as SubSpecialtyTables;
  const validate = new Ajv({ allErrors: true }).compile<SubSpecialtyTables>(
    JSON.parse(read('sub-specialties.schema.json')),
  );
  const reasons = validate(tables)
    ? undeclared(tables)
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  if (reasons.length > 0) throw new Error(`mappings/worklist/sub-specialties.json: ${reasons.join('; ')}`);
  return subSpecialties(tables, text);
}

function undeclared({ specialties, general, acts, sites }: SubSpecialtyTables): string[] {
  const known = new Set(specialties.map(({ code }) => code));
  const used = [general, ...acts.map(({ specialty }) => specialty), ...sites.map(({ specialty }) => specialty)];
  return used.filter((code) => !known.has(code)).map((code) => `${code} is not among the specialties`);
}

function subSpecialties({ specialties, general, acts, sites }: SubSpecialtyTables, text: string): SubSpecialties {
  const names = new Map(specialties.map(({ code, display }) => [code, display]));
  const bySite = new Map(sites.map(({ system, code, specialty }) => [`${system}|${code}`, specialty]));
  const longestFirst = acts.toSorted((a, b) => b.prefix.length - a.prefix.length);
  const ofAct = ({ system, code }: Coding): string | undefined =>
    longestFirst.find((rule) => rule.system === system && code?.startsWith(rule.prefix))?.specialty;
  return {
    of(request) {
      if (request === undefined) return general;
      const codings = (concepts: readonly (CodeableConcept | undefined)[] = []): Coding[] =>
        concepts.flatMap((concept) => concept?.coding ?? []);
      const act = codings([request.code, ...(request.orderDetail ?? [])]).map(ofAct);
      const site = codings(request.bodySite).map(({ system, code }) => bySite.get(`${system}|${code}`));
      return [...act, ...site].find((found) => found !== undefined) ?? general;
    },
    declared(roles) {
      const codes = roles
        .flatMap(({ specialty }) => codingsOf(specialty))
        .flatMap(({ system, code }) => (system === subSpecialtySystem && code !== undefined ? [code] : []));
      return [...new Set(codes)].filter((code) => names.has(code) && code !== general);
    },
    nameOf: (code) => names.get(code) ?? code,
    general,
    version: text,
  };
}

const codingsOf = (concepts: readonly CodeableConcept[] = []): Coding[] =>
  concepts.flatMap(({ coding }) => coding ?? []);
