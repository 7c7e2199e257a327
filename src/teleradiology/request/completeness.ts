/** Gathers what came with a request and names what is missing (IN-6); whoever sent it is asked at once. */
import type { Consent, Observation, Patient, Practitioner, ServiceRequest, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { codeOf, codeSystem } from '../codes.ts';
import { kindAsked } from '../kinds/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { idOf, inputsOf } from '../shell/case-task.ts';
import { missingItems, type RequestItem } from './required-items.ts';

/** Results of one request that are read. */
const observationsAtMost = 100;

/** Items the request lacks, by the establishment's setting. Only what is required is looked up. */
export async function missingOf(
  tx: FhirTransaction,
  task: Task,
  serviceRequest: ServiceRequest,
  settings: EstablishmentSettings,
): Promise<RequestItem[]> {
  const { items } = kindAsked(serviceRequest);
  const required = settings.requiredItems.filter((item) => items === 'all' || items.includes(item));
  const needs = (...items: RequestItem[]): boolean => items.some((item) => required.includes(item));
  const patientId = idOf(serviceRequest.subject, 'Patient');
  const patient: Patient | undefined = patientId === undefined ? undefined : await tx.find('Patient', patientId);
  const requesterId = idOf(serviceRequest.requester, 'Practitioner');
  const requester: Practitioner | undefined =
    requesterId !== undefined && needs('requester', 'requester-phone')
      ? await tx.find('Practitioner', requesterId)
      : undefined;
  const clinical = needs('weight', 'creatinine', 'pregnancy', 'allergy', 'clinical-information');
  const callback = inputsOf(task, 'callback')[0]?.valueString;
  const parts = {
    serviceRequest,
    ...(patient ? { patient } : {}),
    ...(requester ? { requester } : {}),
    observations: clinical ? await observationsOf(tx, serviceRequest) : [],
    allergiesStated: needs('allergy') && patientId !== undefined && (await hasAllergies(tx, patientId)),
    ...(callback === undefined ? {} : { callback }),
    consented: !needs('consent') || settings.consentByOrder || (await hasConsent(tx, serviceRequest)),
    emergency: inputsOf(task, 'encounter-class')[0]?.valueCode === 'E',
  };
  return missingItems(parts, required).map(({ item }) => item);
}

/** Results the request names, and those that say they are of this request. */
async function observationsOf(tx: FhirTransaction, request: ServiceRequest): Promise<Observation[]> {
  const found: Observation[] = [];
  for (const reference of (request.supportingInfo ?? []).slice(0, observationsAtMost)) {
    const id = idOf(reference, 'Observation');
    const observation = id === undefined ? undefined : await tx.find('Observation', id);
    if (observation !== undefined) found.push(observation);
  }
  if (request.id === undefined) return found;
  const told = await tx.search('Observation', `based-on=ServiceRequest/${request.id}&_count=${observationsAtMost}`);
  return [...found, ...told];
}

async function hasAllergies(tx: FhirTransaction, patientId: string): Promise<boolean> {
  return (await tx.search('AllergyIntolerance', `patient=Patient/${patientId}&_count=1`)).length > 0;
}

async function hasConsent(tx: FhirTransaction, request: ServiceRequest): Promise<boolean> {
  const patient = request.subject.reference;
  if (patient === undefined) return false;
  const consents: Consent[] = await tx.search('Consent', `patient=${patient}&status=active`);
  return consents.some(({ category }) =>
    category.some((each) => codeOf(each, codeSystem.consentCategory) !== undefined),
  );
}
