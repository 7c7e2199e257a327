/**
 * Scans of certificates: DocumentReference about a Practitioner, in a category that who keeps the register may read. Nothing of a patient
 * can be put under it, else the register's keepers would see it.
 */
import type { CodeableConcept, DocumentReference, Resource } from '@medplum/fhirtypes';
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { hasCode, passerelle } from '../codes.ts';
import { keepsRegister, refusal } from './entitled.ts';
import { qualificationSystem } from './qualification.ts';

const documentCategorySystem = `${passerelle}/CodeSystem/document-category`;

/** @throws FhirError 422 for who does not keep the register, and for anything in the category that is not about a professional alone. */
export function checkProfessionalDocument({ before, after }: Change, tx: FhirTransaction): void {
  const isOurs = [before, after].some((each) => each !== undefined && isProfessional(each));
  if (isOurs && !keepsRegister(tx))
    throw refusal(
      422,
      'business-rule',
      'Scans of certificates are recorded by administrators',
      'Les pièces d’un professionnel sont enregistrées par un administrateur.',
      'DocumentReference.category',
    );
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
