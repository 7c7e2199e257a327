/** Which rows somebody sees, as the database takes it: for the session's row-level security and for the condition of each statement. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { RowLimits } from '../../db/index.ts';
import type { RowScope } from '../contract.ts';
import { r4Types } from '../definitions/structure-r4.ts';
import { type KeyHasher, keyKind, keyText } from './keys.ts';
import type { SqlValues } from './sql-values.ts';

/** Directories, definitions and the trail; every other type is patient data or its owner's (migrations/0100_row_scope.sql, 0165). */
const unlimitedTypes = new Set(
  `
  ActivityDefinition AuditEvent CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem
  CompartmentDefinition ConceptMap Device DeviceDefinition EffectEvidenceSynthesis Endpoint EventDefinition Evidence
  EvidenceVariable ExampleScenario GraphDefinition HealthcareService ImplementationGuide InsurancePlan Library
  Location Measure Medication MedicationKnowledge MedicinalProduct MedicinalProductAuthorization
  MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
  MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
  MedicinalProductUndesirableEffect MessageDefinition NamingSystem ObservationDefinition OperationDefinition
  Organization OrganizationAffiliation PlanDefinition Practitioner PractitionerRole Questionnaire ResearchDefinition
  ResearchElementDefinition RiskEvidenceSynthesis Schedule SearchParameter Slot SpecimenDefinition
  StructureDefinition StructureMap Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
  SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification TerminologyCapabilities TestScript
  ValueSet
  `
    .trim()
    .split(/\s+/),
);

/** Whether rows of a type may be out of sight. */
export function isLimitedType(type: string): boolean {
  return !unlimitedTypes.has(type);
}

/** Every type whose rows may be out of sight. */
export function limitedTypes(): ResourceType[] {
  return r4Types.filter(isLimitedType);
}

/** A `RowScope` in one tenant. */
export interface SeenRows {
  limits: RowLimits;
  /** Those that a condition of a statement names for a type, as binary `bigint[]`; row-level security knows them all. */
  keysOf(type: string): Buffer;
  /** Whether every row of a type is seen. */
  isWhole(type: string): boolean;
  /** Whether what is written of a type must be seen afterwards. */
  isKept(type: string): boolean;
}

export function seenRows(hasher: KeyHasher, tenant: string, scope: RowScope): SeenRows {
  const { keys, whole, narrowed, kept, drafts } = scope;
  const textsOf = (list: RowScope['keys']) => [
    ...new Set(list.map(({ parameter, value }) => rowKey(tenant, parameter, value))),
  ];
  const decimals = (list: RowScope['keys']) => textsOf(list).map((text) => hasher.decimal(text));
  const narrowing =
    narrowed && Array.from(narrowed, ([type, lists]) => [type.toLowerCase(), lists.map(decimals)] as const);
  const own = hasher.array(textsOf(keys));
  // The narrowest condition is the one an index helps with: what a token is about comes before what its account may see.
  const firsts = new Map(
    Array.from(narrowed ?? [], ([type, [first]]) => [type, first && hasher.array(textsOf(first))] as const),
  );
  return {
    limits: {
      keys: `{${decimals(keys).sort().join()}}`,
      wholeTypes: `{${whole.map((type) => type.toLowerCase()).sort()}}`,
      ...(narrowing ? { narrowing: JSON.stringify(Object.fromEntries(narrowing)) } : {}),
      ...(drafts ? { drafts } : {}),
    },
    keysOf: (type) => firsts.get(type) ?? own,
    isWhole: (type) =>
      !isLimitedType(type) ||
      (whole.includes(type as (typeof whole)[number]) && (narrowed === undefined || narrowed.get(type)?.length === 0)),
    isKept: (type) => kept?.has(type) ?? false,
  };
}

/** The key a resource has that has this value. */
function rowKey(tenant: string, parameter: string, value: string): string {
  const bar = value.indexOf('|');
  return bar === -1
    ? keyText(tenant, parameter, keyKind.value, value)
    : keyText(tenant, parameter, keyKind.systemValue, value.slice(0, bar), value.slice(bar + 1));
}

/**
 * The condition that a row of `type` is seen, for the table with this alias; undefined when every row is. Row-level security says the
 * same of each row, but only a condition of the statement is one the planner knows its index for.
 */
export function seenCondition(
  rows: SeenRows | undefined,
  type: string,
  values: SqlValues,
  alias = 'r',
): string | undefined {
  return rows === undefined || rows.isWhole(type)
    ? undefined
    : `${alias}.keys && ${values.add(rows.keysOf(type))}::bigint[]`;
}
