/** Child `deliver` Tasks in words: waiting, going, received with its evidence, failed with its reason (OUT-1, OUT-6). */
import type { Task } from '@medplum/fhirtypes';
import { itemsOf } from './case-facts.ts';

export interface DeliveryLine {
  key: string;
  state: string;
  tone: 'waiting' | 'done' | 'failed';
  recipient: string;
  at: string | undefined;
  reason: string | undefined;
  /** Acknowledgement as received (MSA segment). */
  evidence: string[];
}

const states: Readonly<Record<string, readonly [state: string, tone: DeliveryLine['tone']]>> = {
  requested: ['en attente d’envoi', 'waiting'],
  'in-progress': ['envoyé, accusé attendu', 'waiting'],
  completed: ['reçu par le site', 'done'],
  failed: ['refusé par le site', 'failed'],
};

export function deliveryLines(children: readonly Task[]): DeliveryLine[] {
  return children
    .filter((one) => one.code?.coding?.some((coding) => coding.code === 'deliver'))
    .map((one) => {
      const [state, tone] = states[one.status] ?? [one.status, 'waiting'];
      return {
        key: one.id ?? '',
        state,
        tone,
        recipient: one.description ?? one.owner?.display ?? 'établissement demandeur',
        at: one.executionPeriod?.end ?? one.lastModified ?? one.executionPeriod?.start,
        reason: one.statusReason?.text,
        evidence: itemsOf(one.output, 'evidence').flatMap((item) => (item.valueString ? [item.valueString] : [])),
      };
    });
}
