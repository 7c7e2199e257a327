/** Messages to professionals that are about no patient: in the application, and by e-mail as the contract asks (CM-2, CM-4, CM-5). */
import type { Communication, Reference } from '@medplum/fhirtypes';
import { establishmentSystem, type FhirTransaction } from '../../fhir/index.ts';
import { codeSystem, concept } from '../codes.ts';
import type { Room } from '../room.ts';
import type { Notice } from '../talk/notices.ts';
import { fromPlatform } from '../talk/platform-mark.ts';
import { sendNotice } from '../talk/send-notice.ts';
import { nameOf } from './names.ts';

export type StaffCategory =
  | 'qualification-expiry'
  | 'rota-published'
  | 'rota-late'
  | 'rota-change'
  | 'rota-gap'
  | 'rota-swap'
  | 'reader-exclusion';

export interface StaffMessage {
  category: StaffCategory;
  /** French. */
  text: string;
  /** Each once; undefined ones are left out. */
  recipients: readonly (string | undefined)[];
  /** What it is about: a Schedule, a Slot, a Practitioner … */
  about?: readonly string[];
  /** Organization id of the establishment whose people may read it. */
  establishment?: string;
  urgent?: boolean;
  /** The same by e-mail, which says less. */
  notice?: StaffNotice;
}

/** A notice before it is known whom it goes to. */
export type StaffNotice = DistributiveOmit<Extract<Notice, { about?: undefined }>, 'to' | 'about'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export type Teller = Pick<Room, 'delivery' | 'mail'>;

/** `medium` of a message that also went out by e-mail. */
const email = concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', 'EMAILWRIT');

/**
 * Stores the message with the whole tenant in sight (who sets it off need not see whom it goes to) and queues the e-mails. The message
 * says who of its recipients has no mailbox on file: somebody has to telephone.
 */
export async function tellStaff(room: Teller, tx: FhirTransaction, message: StaffMessage): Promise<void> {
  const to = [...new Set(message.recipients)].flatMap((reference): Reference[] =>
    reference === undefined ? [] : [{ reference }],
  );
  const { establishment, notice } = message;
  const sent = notice === undefined ? undefined : await sendNotice(room, tx, { ...notice, to } as Notice);
  const unreached = room.mail ? (sent?.unreachable ?? []).filter((each) => each.startsWith('Practitioner/')) : [];
  const told: Communication = {
    resourceType: 'Communication',
    ...(establishment === undefined
      ? {}
      : { meta: { security: [{ system: establishmentSystem, code: establishment }] } }),
    status: 'completed',
    category: [concept(codeSystem.communicationCategory, message.category)],
    priority: message.urgent ? 'urgent' : 'routine',
    ...(sent?.queued.length ? { medium: [email] } : {}),
    ...(message.about?.length ? { about: message.about.map((reference) => ({ reference })) } : {}),
    ...(to.length > 0 ? { recipient: to as Communication['recipient'] } : {}),
    sent: tx.context.now().toISOString(),
    payload: [
      { contentString: message.text },
      ...(unreached.length > 0
        ? [{ contentString: `Sans adresse e-mail connue, à prévenir par téléphone : ${await namesOf(tx, unreached)}.` }]
        : []),
    ],
  };
  await tx.whole.create(fromPlatform(told));
}

async function namesOf(tx: FhirTransaction, references: readonly string[]): Promise<string> {
  const names: string[] = [];
  for (const reference of references) {
    const id = reference.slice('Practitioner/'.length);
    names.push(nameOf(await tx.whole.find('Practitioner', id), id));
  }
  return names.join(', ');
}
