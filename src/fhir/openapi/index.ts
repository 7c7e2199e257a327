/** The RESTful API described for tools that know OpenAPI and not FHIR. */
export { type ApiDescription, openApiDocument } from './document.ts';
