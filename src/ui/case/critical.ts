/** A critical result in words: the child Task `alert` of the case (docs/fhir-conventions.md, "Critical results"). */
import type { Task } from '@medplum/fhirtypes';
import type { Session } from '../session/session.ts';
import { itemOf, itemsOf } from './case-facts.ts';

export interface CriticalResult {
  id: string;
  finding: string;
  /** Code of the category. */
  category: string;
  declaredBy: string | undefined;
  declaredAt: string | undefined;
  /** When the next of the list is told. */
  nextAt: string | undefined;
  /** How often somebody was told. */
  rounds: number;
  isOpen: boolean;
  acknowledgedAt: string | undefined;
}

export const criticalCategories: readonly { value: string; label: string }[] = [
  { value: 'immediate', label: 'Catégorie 1 : dans les minutes' },
  { value: 'hours', label: 'Catégorie 2 : dans les heures' },
  { value: 'days', label: 'Catégorie 3 : dans les jours' },
];

/** Latest first. */
export function criticalResults(children: readonly Task[]): CriticalResult[] {
  return children
    .filter((one) => one.code?.coding?.some(({ code }) => code === 'alert') === true)
    .map((one) => {
      const isOpen = one.status === 'requested' || one.status === 'in-progress';
      return {
        id: one.id ?? '',
        finding: itemsOf(one.input, 'finding')
          .flatMap(({ valueString }) => valueString ?? [])
          .join(' ; '),
        category: itemOf(one.input, 'critical-category')?.valueCodeableConcept?.coding?.[0]?.code ?? 'immediate',
        declaredBy: one.requester?.display,
        declaredAt: one.authoredOn,
        nextAt: isOpen ? one.restriction?.period?.end : undefined,
        rounds: itemsOf(one.output, 'told').length,
        isOpen,
        acknowledgedAt: isOpen ? undefined : one.executionPeriod?.end,
      };
    })
    .sort((a, b) => Date.parse(b.declaredAt ?? '') - Date.parse(a.declaredAt ?? ''));
}

/** Whether the person says it back for themselves; anybody else records a telephone call, with who answered. */
export function isOfSite(session: Pick<Session, 'roles'>): boolean {
  return session.roles.includes('requester') || session.roles.includes('technologist');
}
