/**
 * Scans of certificates: DocumentReference about a Practitioner, in a category that who keeps the register may read. Nothing of a patient
 * can be put under it, else the register's keepers would see it.
 */
import type { CodeableConcept, DocumentReference, Resource } from '@medplum/fhirtypes';
import { hasCode, passerelle } from '../codes.ts';
import { refusal } from './entitled.ts';
import { qualificationSystem } from './qualification.ts';

export const documentCategorySystem = `${passerelle}/CodeSystem/document-category`;

/** @throws FhirError 422 for anything in the category that is not about a professional alone. */
export function checkProfessionalDocument(after: Resource | undefined): void {
  if (after === undefined || !isProfessional(after)) return;
  const document = after as DocumentReference;
  const aboutSomebody = document.subject?.reference?.startsWith('Practitioner/') === true;
  const named = document.type?.coding?.some(({ system }) => system === qualificationSystem) === true;
  const { encounter, related, sourcePatientInfo } = document.context ?? {};
  if (
    after.resourceType === 'DocumentReference' &&
    aboutSomebody &&
    named &&
    !encounter &&
    !related &&
    !sourcePatientInfo
  )
    return;
  throw refusal(
    422,
    'business-rule',
    'This category is for certificates of professionals: subject a Practitioner, type a qualification, no patient context',
    'Cette catégorie est réservée aux pièces d’un professionnel : sujet, son Practitioner ; type, une qualification ; aucun patient.',
    `${after.resourceType}.category`,
  );
}

function isProfessional(resource: Resource): boolean {
  const { category } = resource as { category?: unknown };
  if (!Array.isArray(category)) return false;
  return category.some((each) => hasCode(each as CodeableConcept, documentCategorySystem, 'professional'));
}
