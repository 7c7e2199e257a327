/** After a lost race (409, 412): what changed in the case between what was on the screen and what is stored now, and by whom. */
import type { Provenance, Task } from '@medplum/fhirtypes';
import { caseStatusName } from '../words/case-status.ts';
import { caseFacts, itemsOf } from './case-facts.ts';

/** Whether a person's decision taken on `seen` would still be taken on `stored`: only images arrived, or evidence was added. */
export function sameSituation(seen: Task, stored: Task): boolean {
  const a = caseFacts(seen);
  const b = caseFacts(stored);
  return (
    a.state === b.state &&
    (b.attachmentBasis !== 'provisional' || a.attachmentBasis === 'provisional') &&
    a.urgent === b.urgent &&
    lastDocument(seen) === lastDocument(stored) &&
    seen.owner?.reference === stored.owner?.reference &&
    seen.for?.reference === stored.for?.reference
  );
}

/** Each signed version leaves its documents: what is said of a report is said of this one. */
function lastDocument(task: Task): string | undefined {
  return itemsOf(task.output, 'document').at(-1)?.valueReference?.reference;
}

/** One sentence a person can act on. `last` is the latest Provenance about the case, when the caller may read it. */
export function describeChange(seen: Task, stored: Task, last?: Provenance): string {
  const a = caseFacts(seen);
  const b = caseFacts(stored);
  const parts: string[] = [];
  if (a.state !== b.state)
    parts.push(`l’état est passé de « ${caseStatusName(a.state)} » à « ${caseStatusName(b.state)} »`);
  if (seen.owner?.reference !== stored.owner?.reference) {
    parts.push(
      stored.owner
        ? `le dossier est pris par ${stored.owner.display ?? 'un autre radiologue'}`
        : 'le dossier a été rendu à la liste',
    );
  }
  if (a.imageCount !== b.imageCount) parts.push(`${b.imageCount - a.imageCount} image(s) de plus`);
  if (a.attachmentBasis !== b.attachmentBasis) parts.push('le rattachement des images a changé');
  const who = last?.agent[0]?.who.display;
  const author = who === undefined ? '' : ` par ${who}`;
  const what = parts.length === 0 ? `version ${stored.meta?.versionId ?? '?'} enregistrée` : parts.join(', ');
  return `Votre action n’a pas été faite. Le dossier a été modifié entre-temps${author} : ${what}.`;
}
