/** Messages of the platform to people, as Communication about the case. */
import type { Communication, Identifier, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { codeSystem, concept } from '../codes.ts';
import { type EstablishmentSettings, establishmentSettings } from '../settings.ts';
import { fromPlatform } from '../talk/platform-mark.ts';
import { type CaseTask, idOf } from './case-task.ts';
import { establishmentOf } from './case-view.ts';
import { platformId } from './platform.ts';

export interface Told {
  /** Code of the category: `deadline`, `delivery-failed`, `late-images`, … */
  category: string;
  /** French; never names the patient: the subject does. */
  text: string;
  recipients: Reference[];
  sent: Date;
  urgent?: boolean;
  /** Tells a repeated message from a new one. */
  identifier?: Identifier;
  sender?: Reference;
}

/** A message about a case, not yet stored. */
export function communication(task: CaseTask, told: Told): Communication {
  return fromPlatform({
    resourceType: 'Communication',
    ...(told.identifier ? { identifier: [told.identifier] } : {}),
    status: 'completed',
    category: [concept(codeSystem.communicationCategory, told.category)],
    priority: told.urgent ? 'urgent' : 'routine',
    subject: task.for as Communication['subject'],
    about: [{ reference: `Task/${task.id}` }],
    // What a case's Communications are found by, and how readers from elsewhere see them (docs/access/policy.md).
    ...(task.focus ? { basedOn: [task.focus] } : {}),
    ...(told.recipients.length > 0 ? { recipient: told.recipients as Communication['recipient'] } : {}),
    ...(told.sender ? { sender: told.sender as Communication['sender'] } : {}),
    sent: told.sent.toISOString(),
    payload: [{ contentString: told.text }],
  });
}

/** The coordinators: the platform's Organization, else the establishment. */
export async function coordinators(
  tx: FhirTransaction,
  task: CaseTask,
  settings?: EstablishmentSettings,
): Promise<Reference[]> {
  const platform = await platformId(tx, settings ?? establishmentSettings(await establishmentOf(tx, task)));
  if (platform !== undefined) return [{ reference: `Organization/${platform}` }];
  return task.requester?.reference ? [{ reference: task.requester.reference }] : [];
}

/** The radiologist in charge, else the coordinators. */
export async function responsible(
  tx: FhirTransaction,
  task: CaseTask,
  settings?: EstablishmentSettings,
): Promise<Reference[]> {
  const owner = idOf(task.owner, 'Practitioner');
  return owner === undefined ? coordinators(tx, task, settings) : [{ reference: `Practitioner/${owner}` }];
}
