/** $graphql: queries over resources (https://hl7.org/fhir/R4/resource-operation-graphql.html). */
import type { FhirStore } from '../contract.ts';

/** The language is loaded by the first query: most servers never see one. */
export function registerGraphql(store: FhirStore): void {
  for (const level of ['system', 'instance'] as const) {
    store.registerOperation({
      name: 'graphql',
      level,
      affectsState: false,
      definition: 'http://hl7.org/fhir/OperationDefinition/Resource-graphql',
      run: async (call) => (await import('./graphql.ts')).graphql(call),
    });
  }
}
