/** A tenant as its operator writes it down (JSON), checked: docs/guide-exploitation.md, « Groupes hospitaliers ». */
import type { FhirError } from '../../fhir/index.ts';
import { refusal } from '../refusals.ts';

export interface TenantDescription {
  /** 2 to 31 characters of `a-z 0-9 -`, the first a letter. */
  tenant: string;
  display: string;
  /** FINESS of the legal entity (entité juridique). */
  legalEntity: { finess: string; name?: string };
  /** FINESS of each establishment (entité géographique). */
  establishments: { finess: string; name: string; units: { code: string; name: string }[] }[];
}

const tenantSyntax = /^[a-z][a-z0-9-]{1,30}$/;
/** Nine characters: department (Corsica has letters), number, key. */
const finessSyntax = /^(?:\d{2}|2[AB])\d{7}$/;
const unitSyntax = /^[A-Za-z0-9-]{1,20}$/;
const longestName = 200;
const establishmentsAtMost = 500;
const unitsAtMost = 500;

/** @throws FhirError 422 that names the place, in French for the operator. */
export function readTenantDescription(json: unknown): TenantDescription {
  const description = objectAt(json, 'le fichier');
  const tenant = textAt(description.tenant, 'tenant', tenantSyntax);
  const legalEntity = objectAt(description.legalEntity, 'legalEntity');
  const establishments = listAt(description.establishments, 'establishments', establishmentsAtMost);
  if (establishments.length === 0) throw wrong('establishments', 'au moins un');
  return {
    tenant,
    display: nameAt(description.display, 'display'),
    legalEntity: {
      finess: textAt(legalEntity.finess, 'legalEntity.finess', finessSyntax),
      ...(legalEntity.name === undefined ? {} : { name: nameAt(legalEntity.name, 'legalEntity.name') }),
    },
    establishments: establishments.map((item, index) => {
      const place = `establishments[${index}]`;
      const establishment = objectAt(item, place);
      return {
        finess: textAt(establishment.finess, `${place}.finess`, finessSyntax),
        name: nameAt(establishment.name, `${place}.name`),
        units: listAt(establishment.units ?? [], `${place}.units`, unitsAtMost).map((entry, at) => {
          const unit = objectAt(entry, `${place}.units[${at}]`);
          return {
            code: textAt(unit.code, `${place}.units[${at}].code`, unitSyntax),
            name: nameAt(unit.name, `${place}.units[${at}].name`),
          };
        }),
      };
    }),
  };
}

function objectAt(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(place, 'un objet');
  return value as Record<string, unknown>;
}

function listAt(value: unknown, place: string, most: number): unknown[] {
  if (!Array.isArray(value) || value.length > most) throw wrong(place, `une liste de ${most} éléments au plus`);
  return value;
}

function textAt(value: unknown, place: string, syntax: RegExp): string {
  if (typeof value !== 'string' || !syntax.test(value)) throw wrong(place, `un texte de la forme ${syntax.source}`);
  return value;
}

function nameAt(value: unknown, place: string): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > longestName)
    throw wrong(place, `un nom de ${longestName} caractères au plus`);
  return value;
}

function wrong(place: string, expected: string): FhirError {
  const text = `${place} : il faut ${expected}.`;
  return refusal(422, 'invalid', { diagnostics: `${place} is not as it must be`, text });
}
