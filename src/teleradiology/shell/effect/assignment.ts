/** Whose reading it is: wanted from (`Task.restriction.recipient`), or in hand of (`Task.owner`). */
import type { Practitioner, Reference } from '@medplum/fhirtypes';
import { FhirError } from '../../../fhir/index.ts';
import { readerStanding } from '../../people/reader-standing.ts';
import { type CaseTask, idOf } from '../case-task.ts';
import { communication } from '../communication.ts';
import type { EffectScene } from '../scene.ts';

/**
 * The reader the coordinator, or a colleague who hands over, wants.
 * @throws FhirError 422 for nobody of the directory, and for who could not claim: the case would wait for nothing.
 */
export async function assign(task: CaseTask, { tx, input, view, now }: EffectScene): Promise<CaseTask> {
  const id = idOf({ reference: input.reader }, 'Practitioner');
  const reader = id === undefined ? undefined : await tx.find('Practitioner', id);
  if (reader === undefined)
    throw new FhirError(
      422,
      'not-found',
      'Ce radiologue n’est pas dans l’annuaire.',
      "Parameters.parameter.where(name = 'reader')",
    );
  const standing = await readerStanding(tx, `Practitioner/${id}`, task.requester?.reference, now);
  const unproven = standing.credentials === 'missing' && view.settings.credentialsRequired;
  if (standing.excluded || standing.credentials === 'expired' || unproven)
    throw new FhirError(
      422,
      'business-rule',
      'Ce radiologue ne peut pas lire pour cet établissement : ses attestations manquent ou sont échues, ou l’établissement l’a retiré.',
      "Parameters.parameter.where(name = 'reader')",
    );
  const name = reader.name?.[0];
  const display = [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family].filter((part) => part).join(' ');
  const recipient: Reference<Practitioner> = { reference: `Practitioner/${id}`, ...(display ? { display } : {}) };
  return { ...task, restriction: { ...task.restriction, recipient: [recipient] } };
}

/** Whoever takes a case that cannot be signed yet learns it at once, not at the signature (ID-2). */
export async function tellDoubt(task: CaseTask, { tx, actor, now }: EffectScene): Promise<void> {
  const text =
    "Un doute d'identité est ouvert sur ce dossier (homonyme, doublon, examen antérieur, côté) : lisez-le ; la signature attend que quelqu'un dise, sur la page du dossier, ce qu'il a vérifié.";
  const recipients = [{ reference: actor.reference }];
  await tx.create(communication(task, { category: 'identity-problem', text, recipients, sent: now, urgent: true }));
}

/** Who claims it has it; that it was wanted from somebody else is over. */
export function keepOwner(task: CaseTask, { actor }: EffectScene): CaseTask {
  const owned = { ...task, owner: { reference: actor.reference, display: actor.display } };
  const wanted = task.restriction?.recipient?.[0]?.reference;
  if (wanted === undefined || wanted === actor.reference) return owned;
  const { recipient: _recipient, ...restriction } = task.restriction ?? {};
  if (Object.keys(restriction).length > 0) return { ...owned, restriction };
  const { restriction: _restriction, ...bare } = owned;
  return bare;
}
