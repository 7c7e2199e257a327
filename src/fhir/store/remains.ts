/** What a deletion leaves (https://hl7.org/fhir/R4/http.html#delete): no content, and the search values that say who may know of it. */
import type { Coding, Communication, DiagnosticReport, Resource, ResourceType } from '@medplum/fhirtypes';
import { accountSystem, establishmentSystem } from './labels.ts';

/** What of a resource remains when it is deleted: who may know that it was. */
export function remains(type: ResourceType, id: string, before: Resource): Resource {
  const ours: readonly unknown[] = [establishmentSystem, accountSystem];
  const security = before.meta?.security?.filter(({ system }) => ours.includes(system)) ?? [];
  return {
    resourceType: type,
    id,
    ...(security.length > 0 ? { meta: { security } } : {}),
    ...withholding(before),
  } as Resource;
}

/** By what a draft is withheld (migrations/0183_drafts.sql, 0184): that there was one tells what the draft would not. */
function withholding(before: Resource): Partial<DiagnosticReport | Communication> {
  if (before.resourceType === 'DiagnosticReport')
    return draftStatuses.includes(before.status) ? { status: before.status } : {};
  if (before.resourceType !== 'Communication') return {};
  const coding = before.category?.flatMap((category) => category.coding ?? []).find(isDraftOpinion);
  return coding ? { category: [{ coding: [{ system: coding.system, code: coding.code }] }] } : {};
}

const draftStatuses: readonly DiagnosticReport['status'][] = ['registered', 'partial'];

function isDraftOpinion({ system, code }: Coding): boolean {
  return system === 'https://fhir.passerelle.example/CodeSystem/communication-category' && code === 'draft-opinion';
}
