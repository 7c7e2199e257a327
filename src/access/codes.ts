/** Addresses and code systems that several parts of this room read and write (docs/fhir-conventions.md). */

/** Base of our own canonical addresses. */
export const passerelle = 'https://fhir.passerelle.example';

/** Roles of the platform. */
export const roleSystem = `${passerelle}/CodeSystem/role`;

/** National number of a professional. */
export const rppsSystem = 'https://rpps.esante.gouv.fr';

/** Types of identifiers FR Core adds to those of HL7 v2 (table 0203). */
export const frenchIdentifierTypes = 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203';
