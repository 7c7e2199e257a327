/** Child `deliver` Tasks in words: waiting, going, received with its evidence, failed with its reason (OUT-1, OUT-6). */
import type { Task } from '@medplum/fhirtypes';
import { referencedId } from '../fhir/bundle.ts';
import { itemsOf } from './case-facts.ts';

export interface DeliveryLine {
  key: string;
  state: string;
  tone: 'waiting' | 'done' | 'failed';
  recipient: string;
  at: string | undefined;
  reason: string | undefined;
  /** The other side's acknowledgement, in words. */
  evidence: string[];
  /** What became of a report that was an error. */
  withdrawn: string | undefined;
}

const states: Readonly<Record<string, readonly [state: string, tone: DeliveryLine['tone']]>> = {
  requested: ['en attente d’envoi', 'waiting'],
  'in-progress': ['envoyé, accusé attendu', 'waiting'],
  completed: ['reçu par le site', 'done'],
  failed: ['non remis au site', 'failed'],
};

export function deliveryLines(children: readonly Task[]): DeliveryLine[] {
  const withdrawals = new Map(
    children.flatMap((one) =>
      itemsOf(one.input, 'withdraws').map((item) => [referencedId('Task', item.valueReference), one] as const),
    ),
  );
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
        evidence: itemsOf(one.output, 'evidence').flatMap((item) => acknowledgementText(item.valueString)),
        withdrawn: withdrawnText(one, withdrawals.get(one.id ?? '')),
      };
    });
}

const acknowledgements: Readonly<Record<string, string>> = {
  AA: 'Le logiciel du site en a accusé réception',
  CA: 'Le logiciel du site en a accusé réception',
  AE: 'Le logiciel du site l’a refusé',
  CE: 'Le logiciel du site l’a refusé',
};

/** MSA of an acknowledgement: what it says, the number of the message it is about, and what the other side adds. */
function acknowledgementText(msa: string | undefined): string[] {
  const [name, code = '', number = '', said = ''] = (msa ?? '').split('|');
  const words = name === 'MSA' ? acknowledgements[code] : undefined;
  if (words === undefined) return [];
  return [`${words}${number ? ` (message ${number})` : ''}${said.trim() ? ` : ${said.trim()}` : ''}`];
}

function withdrawnText(one: Task, withdrawal: Task | undefined): string | undefined {
  if (withdrawal !== undefined) {
    if (withdrawal.status === 'completed') return 'annulé auprès du site';
    return withdrawal.status === 'failed' ? 'annulation non remise : appelez le site' : 'annulation en cours d’envoi';
  }
  const unsure = itemsOf(one.output, 'perhaps-received').some(({ valueBoolean }) => valueBoolean === true);
  return unsure ? 'le site l’a peut-être reçu' : undefined;
}
