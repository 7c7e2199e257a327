/** What each operation of the case is called in French, and what it must be told. Only those `$transitions` answers are offered. */
import type { Transitions } from './transitions.ts';

export interface CaseAction {
  name: string;
  label: string;
  /** Things to fill in before it is sent; none: sent at once. */
  fields: readonly { name: string; label: string; long: boolean }[];
  /** Title of the dialog, when there is one. */
  question?: string;
  tone: 'main' | 'plain' | 'danger';
}

/** `protocol`, `save-draft`, `displayed` and `sign` have their own places on the page. */
export const caseActions: readonly CaseAction[] = [
  { name: 'claim', label: 'Prendre le dossier', fields: [], tone: 'main' },
  { name: 'resume', label: 'Reprendre la lecture', fields: [], tone: 'main' },
  { name: 'complete-images', label: 'Examen terminé', fields: [], tone: 'main' },
  {
    name: 'confirm-images',
    label: 'Confirmer les images',
    fields: [],
    question: 'Ces images sont-elles bien celles de ce patient et de cette demande ?',
    tone: 'main',
  },
  {
    name: 'phone-exchange',
    label: 'Échange téléphonique',
    question: 'Échange téléphonique avec le demandeur',
    fields: [
      { name: 'with', label: 'Interlocuteur', long: false },
      { name: 'summary', label: 'Résumé de l’échange', long: true },
    ],
    tone: 'plain',
  },
  {
    name: 'suspend',
    label: 'Suspendre',
    question: 'Suspendre la lecture',
    fields: [{ name: 'reason', label: 'Motif de la suspension', long: true }],
    tone: 'plain',
  },
  { name: 'release', label: 'Rendre à la liste', fields: [], tone: 'plain' },
  {
    name: 'refuse',
    label: 'Refuser',
    question: 'Refuser la demande',
    fields: [{ name: 'reason', label: 'Motif du refus', long: true }],
    tone: 'danger',
  },
  {
    name: 'cancel',
    label: 'Annuler la demande',
    question: 'Annuler la demande',
    fields: [{ name: 'reason', label: 'Motif de l’annulation', long: true }],
    tone: 'danger',
  },
];

/** Actions to show: the legal ones, and those held back with the reason people must know (that there is nothing to confirm is no news). */
export function offeredActions({ legal, blocked }: Transitions): (CaseAction & { blockedBy: string | undefined })[] {
  return caseActions
    .filter(({ name }) => legal.includes(name) || (name in blocked && name !== 'confirm-images'))
    .map((action) => ({ ...action, blockedBy: legal.includes(action.name) ? undefined : blocked[action.name] }));
}
