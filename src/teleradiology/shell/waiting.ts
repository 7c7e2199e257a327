/** Every state in which a case waits for somebody owns a due time that tells somebody (WF-4): none is left in silence. */
import { type CaseState, openStates } from '../case/index.ts';
import { cancelDueTimes, setDueTime } from '../clock/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import type { CaseTask } from './case-task.ts';
import type { EffectScene } from './effects.ts';

/** States without the clock of the reading; `signed` and later are watched by their delivery, the reading by its deadline. */
const texts: Partial<Record<CaseState, string>> = {
  'identity-hold': "L'identité reste à vérifier : l'identitovigilance doit décider pour que le dossier avance.",
  'information-wanted': 'Le complément demandé ne vient pas : relancez le demandeur.',
  'protocol-wanted': 'Aucun protocole : un radiologue doit accepter ou refuser la demande.',
  protocoled: "Demande urgente acceptée, aucune image reçue : voyez l'établissement.",
  acquiring:
    "L'examen reste incomplet : vérifiez le complément post-acte, les images annoncées et leur identité, ou déclarez les images complètes.",
};

/** Minutes a case may stay in a state before somebody is told; undefined where another due time watches it. */
function patience(state: CaseState, task: CaseTask, settings: EstablishmentSettings): number | undefined {
  switch (state) {
    case 'identity-hold':
      return settings.identityMinutes;
    case 'information-wanted':
      return settings.informationMinutes;
    case 'protocol-wanted':
      return settings.protocolMinutes;
    case 'acquiring':
      return settings.imagesMinutes;
    case 'protocoled':
      // A routine exam may be days away: its expiry watches it.
      return task.priority === 'routine' ? undefined : settings.imagesMinutes;
    default:
      return undefined;
  }
}

/** What people read when the case is still there; undefined when nobody has to be told. */
export function waitingText(state: CaseState, task: CaseTask, settings: EstablishmentSettings): string | undefined {
  return patience(state, task, settings) === undefined ? undefined : texts[state];
}

/** Starts the watch of the state a case entered, in place of the one it left. */
export async function watchState(task: CaseTask, from: CaseState | undefined, to: CaseState, scene: EffectScene) {
  const { tx, view, now } = scene;
  const { tenant } = tx.context;
  const minutes = patience(to, task, view.settings);
  if (minutes !== undefined) {
    const dueAt = new Date(now.getTime() + minutes * 60_000);
    await setDueTime(tx.sql, tenant, { caseId: task.id, kind: 'waiting', key: '', dueAt }, true);
  } else if (from !== undefined && openStates.includes(from))
    await cancelDueTimes(tx.sql, tenant, task.id, ['waiting']);
}
