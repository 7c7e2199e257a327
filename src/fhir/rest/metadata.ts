/** capabilities: the CapabilityStatement, made from the routes, parameters and operations that serve (https://hl7.org/fhir/R4/http.html#capabilities). */
import type {
  CapabilityStatement,
  CapabilityStatementRestResource,
  CapabilityStatementRestResourceInteraction,
  CapabilityStatementRestResourceOperation,
  CapabilityStatementRestResourceSearchParam,
  ResourceType,
} from '@medplum/fhirtypes';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import { r4Types } from '../definitions/structure-r4.ts';
import { jsonPatchType } from '../patch/index.ts';
import type { Service, SystemInteraction } from './call.ts';
import { compartmentTypes } from './compartments.ts';
import { fhirJson, fhirXml } from './negotiation.ts';
import { definitionUrl } from './operation-definitions.ts';
import { softwareVersion } from './software-version.ts';
import { validateOperations } from './validate.ts';

const fhir = 'http://hl7.org/fhir/';

/** What the audit trail does not let anybody do. */
const changing: ReadonlySet<string | undefined> = new Set(['update', 'patch', 'delete']);

export const capabilities: SystemInteraction = {
  access: 'system',
  code: 'capabilities',
  isPublic: true,
  async run(call, service) {
    const { statement, store } = service;
    // Rooms register their operations after the routes are made.
    if (statement.base !== call.base || statement.operations !== store.operations.length) {
      statement.base = call.base;
      statement.operations = store.operations.length;
      const whole = capabilityStatement(call.base, service);
      service.describe?.(whole);
      statement.text = JSON.stringify(whole);
    }
    return { status: 200, body: statement.text! };
  },
};

function capabilityStatement(base: string, service: Service): CapabilityStatement {
  const { store, clock, searchDefinitions } = service;
  const reverse = reverseIncludes(searchDefinitions);
  const typeInteractions = interactionCodes(service, (path) => path.startsWith(':type'));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: clock.now().toISOString(),
    kind: 'instance',
    software: { name: 'Passerelle', version: softwareVersion },
    implementation: { description: 'Passerelle', url: base },
    fhirVersion: '4.0.1',
    format: [fhirJson, 'json', fhirXml, 'xml'],
    patchFormat: [jsonPatchType, fhirJson, fhirXml],
    rest: [
      {
        mode: 'server',
        security: {
          description: 'OAuth 2.0 bearer tokens or a session cookie; every interaction is checked and audited.',
        },
        resource: r4Types.map((type) => resourceOf(type, typeInteractions, service, reverse)),
        interaction: [
          { code: 'transaction' },
          { code: 'batch' },
          ...interactionCodes(service, (path) => path === '_history' || path === ''),
        ],
        searchParam: systemParameters(service),
        ...operationList(store.operations.filter((operation) => operation.level === 'system')),
        compartment: [...compartmentTypes].map((type) => `${fhir}CompartmentDefinition/${type.toLowerCase()}`),
      },
    ],
  } as CapabilityStatement;
}

/** Codes of the interactions at the addresses chosen, each once, operations apart. */
function interactionCodes(
  service: Service,
  choose: (path: string) => boolean,
): CapabilityStatementRestResourceInteraction[] {
  const codes = service.routes.filter((route) => choose(route.path)).map((route) => route.interaction.code);
  return [...new Set(codes)]
    .filter((code) => code !== 'operation')
    .map((code) => ({ code: code as CapabilityStatementRestResourceInteraction['code'] }));
}

function resourceOf(
  type: ResourceType,
  interaction: CapabilityStatementRestResourceInteraction[],
  { store, searchDefinitions, artefacts }: Service,
  reverse: ReadonlyMap<string, readonly string[]>,
): CapabilityStatementRestResource {
  // The definitions, not the store's compiled parameters: those of 146 types would be made for this page alone (0.2 s, 5 MB).
  const parameters = [...searchDefinitions.parameters(type)].sort((a, b) => (a.code < b.code ? -1 : 1));
  const includes = parameters
    .filter((parameter) => parameter.type === 'reference')
    .map(({ code }) => `${type}:${code}`);
  const operations = [...store.operations, ...validateOperations(type)].filter(
    (operation) => operation.level !== 'system' && (operation.type === type || operation.type === undefined),
  );
  const profiles = artefacts.profiles(type);
  // The store refuses to change the audit trail.
  const isAppendOnly = type === 'AuditEvent';
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    ...(profiles.length > 0 ? { supportedProfile: [...profiles] } : {}),
    interaction: isAppendOnly ? interaction.filter(({ code }) => !changing.has(code)) : interaction,
    // If-Match is honoured wherever it is sent, and required nowhere.
    versioning: 'versioned',
    readHistory: true,
    // A PUT under an unused id adds to the trail too.
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: !isAppendOnly,
    conditionalDelete: isAppendOnly ? 'not-supported' : 'single',
    referencePolicy: ['literal', 'logical', 'local'],
    searchInclude: ['*', ...includes],
    searchRevInclude: ['*', ...(reverse.get(type) ?? [])],
    searchParam: parameters.map(({ code, type: kind, url }) => ({ name: code, type: kind, definition: url })),
    ...operationList(operations),
  };
}

/** `Type:parameter` of the references to a type, by that type. */
function reverseIncludes(definitions: SearchDefinitions): Map<string, string[]> {
  const includes = new Map<string, string[]>();
  for (const type of definitions.types) {
    for (const { code, target = [] } of definitions.parameters(type)) {
      for (const one of target) {
        const list = includes.get(one) ?? [];
        includes.set(one, list);
        list.push(`${type}:${code}`);
      }
    }
  }
  return includes;
}

/** What every type can be searched by, and `_type`, which says the types. */
function systemParameters({ searchDefinitions }: Service): CapabilityStatementRestResourceSearchParam[] {
  const codes = searchDefinitions.types.map(
    (type) => new Set(searchDefinitions.parameters(type).map(({ code }) => code)),
  );
  const shared = searchDefinitions
    .parameters(searchDefinitions.types[0]!)
    .filter(({ code }) => codes.every((known) => known.has(code)));
  return [
    ...shared.map(({ code, type, url }) => ({ name: code, type, definition: url })),
    { name: '_type', type: 'special' as const, documentation: 'Types searched, separated by commas' },
  ];
}

/** One entry per name: an operation at two levels is one operation. */
function operationList(operations: readonly { name: string; type?: string; definition?: string }[]): {
  operation?: CapabilityStatementRestResourceOperation[];
} {
  const byName = new Map(
    operations.map((operation) => [operation.name, { name: operation.name, definition: definitionUrl(operation) }]),
  );
  return byName.size > 0 ? { operation: [...byName.values()] } : {};
}
