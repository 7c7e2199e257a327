/** OperationDefinitions of the registered operations (https://hl7.org/fhir/R4/operationdefinition.html): what cannot be told by the code is in `fhir-profiles/`. */
import type { OperationDefinition, Resource } from '@medplum/fhirtypes';
import type { Operation } from '../contract.ts';

const canonicalBase = 'https://fhir.passerelle.example/';

/** Operations of R4 itself keep the definition R4 gives them. */
const standard = new Set(['validate']);

function idOf({ name, type }: { name: string; type?: string }): string {
  return type ? `${type}-${name}` : name;
}

export function definitionUrl(operation: { name: string; type?: string; definition?: string }): string {
  if (operation.definition) return operation.definition;
  if (standard.has(operation.name)) return `http://hl7.org/fhir/OperationDefinition/Resource-${operation.name}`;
  return `${canonicalBase}OperationDefinition/${idOf(operation)}`;
}

/** Definitions of the operations that the files do not define already. */
export function operationDefinitions(
  operations: readonly Operation[],
  files: readonly Resource[],
): OperationDefinition[] {
  const written = new Set(files.map((file) => `${file.resourceType}/${file.id}`));
  const byId = new Map<string, Operation[]>();
  for (const operation of operations) {
    const id = idOf(operation);
    if (!operation.definition && !standard.has(operation.name) && !written.has(`OperationDefinition/${id}`))
      byId.set(id, [...(byId.get(id) ?? []), operation]);
  }
  return [...byId].map(([id, same]) => definitionOf(id, same));
}

function definitionOf(id: string, operations: Operation[]): OperationDefinition {
  const { name, type, affectsState } = operations[0]!;
  const at = (level: Operation['level']) => operations.some((operation) => operation.level === level);
  return {
    resourceType: 'OperationDefinition',
    id,
    url: `${canonicalBase}OperationDefinition/${id}`,
    name: id.replace(/[^A-Za-z0-9]+(.)/g, (_, letter: string) => letter.toUpperCase()),
    status: 'active',
    kind: 'operation',
    code: name,
    affectsState,
    ...(type ? { resource: [type] } : {}),
    system: at('system'),
    type: at('type'),
    instance: at('instance'),
  };
}
