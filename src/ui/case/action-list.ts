/** What each operation of the case is called in French, and what it must be told. Only those `$transitions` answers are offered. */

export interface ActionField {
  name: string;
  label: string;
  /** One line, a text, a colleague of the directory, one of several answers, or a tick. */
  kind: 'line' | 'text' | 'reader' | 'choice' | 'tick';
  optional?: true;
  /** Answers of a `choice`; `true` and `false` are sent as such. */
  choices?: readonly { value: string; label: string }[];
}

export interface CaseAction {
  name: string;
  label: string;
  /** Things to fill in before it is sent; none: sent at once. */
  fields: readonly ActionField[];
  /** Title of the dialog, when there is one. */
  question?: string;
  tone: 'main' | 'plain' | 'danger';
  /** Folded away: not for every day. */
  rare?: true;
}

const reason = (label: string): ActionField => ({ name: 'reason', label, kind: 'text' });
const optionalReason = (label: string): ActionField => ({ ...reason(label), optional: true });
const reader: ActionField = { name: 'reader', label: 'Radiologue', kind: 'reader' };

/** `protocol`, `save-draft`, `displayed`, `sign`, `issue-preliminary`, `sign-addendum` and critical results have their own places on the page. */
export const caseActions: readonly CaseAction[] = [
  { name: 'claim', label: 'Prendre le dossier', fields: [], tone: 'main' },
  { name: 'resume', label: 'Reprendre la lecture', fields: [], tone: 'main' },
  { name: 'report-received', label: 'Compte rendu lu', fields: [], tone: 'plain' },
  { name: 'complete-images', label: 'Examen terminé', fields: [], tone: 'main' },
  {
    name: 'confirm-images',
    label: 'Confirmer les images',
    fields: [],
    question: 'Ces images sont-elles bien celles de ce patient et de cette demande ?',
    tone: 'main',
  },
  {
    name: 'answer',
    label: 'Répondre à la question',
    question: 'Répondre au radiologue',
    fields: [{ name: 'answer', label: 'Réponse', kind: 'text' }],
    tone: 'main',
  },
  { name: 'claim-second-reading', label: 'Prendre la deuxième lecture', fields: [], tone: 'main' },
  {
    name: 'complete-second-reading',
    label: 'Rendre son avis',
    question: 'Avis de deuxième lecture',
    fields: [
      {
        name: 'agrees',
        label: 'Êtes-vous d’accord avec le compte rendu ?',
        kind: 'choice',
        choices: [
          { value: 'true', label: 'Oui, concordant' },
          { value: 'false', label: 'Non, discordant' },
        ],
      },
      { name: 'opinion', label: 'Votre avis', kind: 'text' },
      { name: 'not-displayed-reason', label: 'Séries non affichées : pourquoi', kind: 'text', optional: true },
    ],
    tone: 'main',
  },
  { name: 'claim-addendum', label: 'Prendre l’additif ou la relecture', fields: [], tone: 'main' },
  {
    name: 'phone-exchange',
    label: 'Échange téléphonique',
    question: 'Échange téléphonique avec le demandeur',
    fields: [
      { name: 'with', label: 'Interlocuteur', kind: 'line' },
      { name: 'summary', label: 'Résumé de l’échange', kind: 'text' },
    ],
    tone: 'plain',
  },
  {
    name: 'ask',
    label: 'Demander un complément',
    question: 'Question au site',
    fields: [{ name: 'question', label: 'Question', kind: 'text' }],
    tone: 'plain',
  },
  {
    name: 'ask-imaging',
    label: 'Demander une imagerie',
    question: 'Imagerie complémentaire',
    fields: [{ name: 'question', label: 'Ce qu’il manque, et pourquoi', kind: 'text' }],
    tone: 'plain',
    rare: true,
  },
  {
    name: 'assign',
    label: 'Attribuer',
    question: 'Attribuer le dossier',
    fields: [reader, optionalReason('Motif (facultatif)')],
    tone: 'plain',
  },
  {
    name: 'suspend',
    label: 'Suspendre',
    question: 'Suspendre la lecture',
    fields: [reason('Motif de la suspension')],
    tone: 'plain',
  },
  { name: 'release', label: 'Rendre à la liste', fields: [], tone: 'plain' },
  {
    name: 'hand-over',
    label: 'Transmettre à un confrère',
    question: 'Transmettre le dossier',
    fields: [reader, optionalReason('Motif (facultatif)')],
    tone: 'plain',
    rare: true,
  },
  {
    name: 'request-second-reading',
    label: 'Demander une deuxième lecture',
    question: 'Deuxième lecture par un confrère',
    fields: [
      reason('Motif'),
      { name: 'blind', label: 'En aveugle : sans voir le premier compte rendu', kind: 'tick', optional: true },
    ],
    tone: 'plain',
    rare: true,
  },
  { name: 'release-second-reading', label: 'Rendre la deuxième lecture', fields: [], tone: 'plain' },
  {
    name: 'request-rereading',
    label: 'Demander une relecture',
    question: 'Relecture du compte rendu signé',
    fields: [reason('Motif de la relecture')],
    tone: 'plain',
    rare: true,
  },
  {
    name: 'open-addendum',
    label: 'Ouvrir un additif',
    question: 'Additif au compte rendu signé',
    fields: [reason('Motif de l’additif')],
    tone: 'plain',
    rare: true,
  },
  { name: 'release-addendum', label: 'Rendre l’additif ou la relecture', fields: [], tone: 'plain' },
  {
    name: 'close-addendum',
    label: 'Maintenir le compte rendu',
    question: 'Le compte rendu reste en l’état',
    fields: [reason('Motif, communiqué au site')],
    tone: 'plain',
  },
  {
    name: 'decline-cancellation',
    label: 'Décliner l’annulation',
    question: 'L’établissement demande l’annulation',
    fields: [reason('Pourquoi l’examen sera interprété')],
    tone: 'plain',
  },
  {
    name: 'refuse',
    label: 'Refuser',
    question: 'Refuser la demande',
    fields: [reason('Motif du refus')],
    tone: 'danger',
  },
  {
    name: 'cancel',
    label: 'Annuler la demande',
    question: 'Annuler la demande',
    fields: [reason('Motif de l’annulation')],
    tone: 'danger',
  },
  {
    name: 'ask-cancellation',
    label: 'Demander l’annulation',
    question: 'Demander l’annulation au radiologue',
    fields: [reason('Motif de l’annulation')],
    tone: 'danger',
    rare: true,
  },
  {
    name: 'interrupt',
    label: 'Interrompre',
    question: 'Mettre fin au dossier sans compte rendu',
    fields: [reason('Motif, communiqué au site')],
    tone: 'danger',
    rare: true,
  },
  {
    name: 'declare-error',
    label: 'Déclarer une erreur',
    question: 'Dossier erroné : une seconde personne devra le confirmer',
    fields: [reason('En quoi le dossier est erroné')],
    tone: 'danger',
    rare: true,
  },
  {
    name: 'withdraw-error',
    label: 'Retirer la déclaration d’erreur',
    question: 'Le dossier n’est pas erroné : ce qui attendait est signé et envoyé',
    fields: [reason('Ce qui a été vérifié')],
    tone: 'plain',
    rare: true,
  },
  {
    name: 'enter-in-error',
    label: 'Confirmer l’erreur',
    question: 'Seconde personne : le dossier, son compte rendu et son acte sont annulés',
    fields: [reason('Motif, communiqué au site')],
    tone: 'danger',
    rare: true,
  },
];

/** Guards that a reason answers: the action is asked for again, with why. */
const answeredByReason: readonly string[] = ['assigned-or-reason', 'on-duty-or-reason'];

/** The same action with a reason, when that is all the refusal wants. */
export function withReason(action: CaseAction, guard: string | undefined, refusal: string): CaseAction | undefined {
  if (guard === undefined || !answeredByReason.includes(guard) || action.fields.length > 0) return undefined;
  return { ...action, question: refusal, fields: [reason('Pourquoi vous le prenez')] };
}

/** Held back by these there is simply nothing to do, which is no news to anybody. */
export const noNews: Readonly<Record<string, true>> = {
  'confirm-images': true,
  'decline-cancellation': true,
  answer: true,
  'claim-second-reading': true,
  'release-second-reading': true,
  'complete-second-reading': true,
  'request-second-reading': true,
  'claim-addendum': true,
  'release-addendum': true,
  'close-addendum': true,
  'open-addendum': true,
  'request-rereading': true,
  'ask-cancellation': true,
  'withdraw-error': true,
  'enter-in-error': true,
};
