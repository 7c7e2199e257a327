/** What people read when a clock of a case reaches a step (WF-4): never the patient's name. French, pure. */
import { type CaseState, type ClockName, clocks } from '../case/index.ts';

/** Category of the reminder's Communication. */
export function reminderCategory(clock: ClockName): 'deadline' | 'waiting' {
  const waits: readonly ClockName[] = ['identity', 'information', 'protocol', 'images', 'expiry', 'lease', 'error'];
  return waits.includes(clock) ? 'waiting' : 'deadline';
}

/** @param leftMs until the deadline; negative once it passed. */
export function reminderText(clock: ClockName, state: CaseState, percent: number, leftMs: number): string {
  if (clock === 'lease') return `Aucune activité sur ce dossier : il sera rendu à la liste dans ${duration(leftMs)}.`;
  if (reminderCategory(clock) === 'waiting') {
    const since = -leftMs >= minuteMs ? ` Délai dépassé de ${duration(leftMs)}.` : '';
    return leftMs > 0 ? `${todo(clock, state)} Il reste ${duration(leftMs)}.` : `${todo(clock, state)}${since}`;
  }
  const name = clock === 'interpretation' ? '' : `${displayOf(clock)} : `;
  const text =
    leftMs <= 0
      ? `délai dépassé de ${duration(leftMs)} (rappel des ${percent} %).`
      : `${percent} % du délai écoulés : il reste ${duration(leftMs)}.`;
  return name === '' ? text.charAt(0).toUpperCase() + text.slice(1) : `${name}${text}`;
}

export function escalationText(clock: ClockName, state: CaseState, lateMs: number): string {
  return `${displayOf(clock)} : délai dépassé de ${duration(lateMs)}. ${todo(clock, state)}`;
}

/** @param number how often it is told again, this time included. */
export function repetitionText(clock: ClockName, state: CaseState, lateMs: number, number: number): string {
  return `Rappel ${number}. ${escalationText(clock, state, lateMs)}`;
}

function displayOf(clock: ClockName): string {
  return clocks.find(({ name }) => name === clock)?.display ?? clock;
}

/** What somebody has to do. */
function todo(clock: ClockName, state: CaseState): string {
  switch (clock) {
    case 'identity':
      return "L'identité reste à vérifier : dites sur la page du dossier ce qui l'a été, ou voyez l'identitovigilance ; rien n'est signé ni envoyé avant.";
    case 'information':
      return 'Le complément demandé ne vient pas : répondez, ou relancez le demandeur.';
    case 'protocol':
      return 'Aucun protocole : un radiologue doit accepter ou refuser la demande.';
    case 'images':
      return state === 'acquiring'
        ? "L'examen reste incomplet : vérifiez le complément post-acte, les images annoncées et leur identité, ou déclarez les images complètes."
        : "Demande urgente acceptée, aucune image reçue : envoyez-les, ou voyez l'établissement.";
    case 'expiry':
      return "Les images n'ont pas été reçues.";
    case 'interpretation':
      return "Le compte rendu n'est pas signé : voyez le radiologue, ou confiez le dossier à un autre.";
    case 'lease':
      return 'Personne ne travaille plus sur ce dossier.';
    case 'second-reading':
      return "La deuxième lecture n'est pas rendue : voyez le relecteur, ou désignez-en un.";
    case 'complement':
      return "Le complément dû après le compte rendu n'est pas signé.";
    case 'critical':
      return "Le résultat critique n'est pas acquitté : appelez l'établissement jusqu'à ce que quelqu'un le redise.";
    case 'delivery':
      return "Le compte rendu signé n'est pas reçu : lisez-le sur la plateforme, et vérifiez le logiciel qui le reçoit.";
    case 'addendum':
      return "L'additif ou la relecture n'est pas rendu.";
    case 'error':
      return "Une erreur est déclarée et personne ne l'a confirmée : la qualité confirme, ou la déclaration se retire ; rien n'est signé ni envoyé d'ici là.";
  }
}

const minuteMs = 60_000;

function duration(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / minuteMs);
  const hours = Math.floor(minutes / 60);
  const rest = `${minutes % 60} min`;
  return hours === 0 ? rest : `${hours} h ${rest}`;
}
