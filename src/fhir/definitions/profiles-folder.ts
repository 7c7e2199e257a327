import { fileURLToPath } from 'node:url';

/** Our own artefacts (SearchParameters, terminologies, profiles, operations), and packages of others. */
export const profilesFolder = fileURLToPath(new URL('../../../fhir-profiles/', import.meta.url));
