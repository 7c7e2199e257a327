/** The RESTful API described for tools that know OpenAPI and not FHIR. */
export type { ApiDescription } from './description.ts';
export { openApiDocument } from './document.ts';
