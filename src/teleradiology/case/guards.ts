/** Guards: named conditions that refuse a transition, with the sentence people read. */
import { type CaseActor, type Facts, imagesComplete, imagesReadable, readTwice } from './facts.ts';

export interface Guard {
  /** What is wrong and what to do, in French; never names the patient. */
  text: string;
  /** Depends on what the call brings, not on the case: ignored when telling what is possible now. */
  ofCall?: true;
  /** HTTP status of the refusal, 422 unless said. */
  status?: 403 | 409;
  holds(facts: Facts, actor: CaseActor): boolean;
}

/** Whether the actor may read at all here, by the register of readers. */
const credentialled = ({ reader, credentialsRequired }: Facts): boolean =>
  reader.credentials === 'valid' || (reader.credentials === 'missing' && !credentialsRequired);

/** What a reader found necessary is no coordinator's to drop; what nobody may take must not keep the case open for ever. */
function closesIt(facts: Facts, { reference, roles }: CaseActor): boolean {
  if (facts.addendum === 'taken') return facts.addendumReader === reference;
  const entitled: readonly string[] = facts.addendumOnRequest ? ['coordinator'] : facts.readers;
  return roles.some((role) => role === 'conformance' || entitled.includes(role));
}

const filled = (text: string | undefined): boolean => text !== undefined && text.trim() !== '';

export const guards = {
  'site-live': {
    text: "Le service n'est pas ouvert pour cet établissement à cette date.",
    holds: (facts) => facts.live,
  },
  'placer-number': {
    text: 'La demande ne porte pas de numéro de demandeur (PLAC).',
    holds: (facts) => facts.placerNumber,
  },
  'reason-given': {
    text: 'Le motif est obligatoire.',
    ofCall: true,
    holds: (facts) => filled(facts.input.reason),
  },
  'protocol-given': {
    text: 'Au moins un protocole est obligatoire.',
    ofCall: true,
    holds: (facts) => facts.input.protocols?.some(filled) ?? false,
  },
  'summary-given': {
    text: "Le résumé de l'échange téléphonique est obligatoire.",
    ofCall: true,
    holds: (facts) => filled(facts.input.summary),
  },
  'flow-4-not-received': {
    text: "L'examen a été réalisé (complément post-acte reçu) : la demande ne peut plus être annulée ; voyez avec le coordonnateur.",
    holds: (facts) => !facts.flow4,
  },
  'images-present': {
    text: "Aucune image n'est encore arrivée : attendez-la, ou faites renvoyer l'examen par l'établissement.",
    holds: (facts) => facts.images.instances > 0 || !facts.imagesExpected,
  },
  'no-image': {
    text: 'Des images sont arrivées.',
    holds: (facts) => facts.images.instances === 0,
  },
  'attachment-provisional': {
    text: "Le rattachement des images n'est pas provisoire : il n'y a rien à confirmer.",
    holds: (facts) => facts.images.provisional,
  },
  'attachment-confirmed': {
    text: "Le rattachement des images est provisoire : vérifiez le patient et l'examen, puis confirmez-le.",
    holds: (facts) => !facts.images.provisional,
  },
  'identity-clear': {
    text: "Un problème d'identité est ouvert sur ce dossier : l'identitovigilance doit décider d'abord.",
    holds: (facts) => !facts.identityProblem,
  },
  'identity-verified': {
    text: "Un doute d'identité est ouvert sur ce dossier (homonyme, doublon, examen antérieur, côté) : lisez ; avant la signature, quelqu'un qui l'a vérifié doit dire comment.",
    holds: (facts) => !facts.identityDoubt,
  },
  'not-quarantined': {
    text: "Les images de ce dossier sont en quarantaine : l'identitovigilance doit décider d'abord.",
    holds: (facts) => !facts.quarantined,
  },
  consent: {
    text: "Le consentement du patient, ou l'exception d'urgence, n'est pas enregistré : demandez à l'établissement de l'enregistrer.",
    holds: (facts) => facts.consent === 'given' || facts.consent === 'emergency',
  },
  'consent-not-refused': {
    text: "Le patient a refusé la lecture à distance, ou retiré son accord : ne lisez pas ; interrompez le dossier, l'établissement organise la suite.",
    holds: (facts) => facts.consent !== 'refused',
  },
  'no-owner': {
    text: 'Un lecteur a déjà pris ce dossier : rechargez la liste et choisissez-en un autre.',
    status: 409,
    holds: (facts) => facts.owner === undefined,
  },
  'credentials-valid': {
    text: 'Vos diplômes, attestations ou assurances au dossier manquent ou sont échus : faites-les mettre à jour par le coordonnateur.',
    status: 403,
    holds: credentialled,
  },
  'not-excluded': {
    text: "L'établissement vous a retiré de ses lecteurs : voyez le coordonnateur.",
    status: 403,
    holds: (facts) => !facts.reader.excluded,
  },
  'on-duty-or-reason': {
    text: "Vous n'êtes pas de garde pour cet établissement : dites pourquoi vous prenez ce dossier.",
    ofCall: true,
    holds: (facts) => !facts.dutyRequired || facts.reader.onDuty || filled(facts.input.reason),
  },
  'assigned-or-reason': {
    text: 'Ce dossier est attribué à un confrère : dites pourquoi vous le prenez.',
    ofCall: true,
    status: 409,
    holds: (facts, actor) =>
      facts.assignedTo === undefined || facts.assignedTo === actor.reference || filled(facts.input.reason),
  },
  'reader-named': {
    text: 'Nommez le radiologue à qui le dossier revient.',
    ofCall: true,
    holds: (facts) => filled(facts.input.reader),
  },
  'question-given': {
    text: 'La question est obligatoire.',
    ofCall: true,
    holds: (facts) => filled(facts.input.question),
  },
  'question-open': {
    text: "Aucune question n'attend de réponse.",
    holds: (facts) => facts.question,
  },
  'answer-given': {
    text: 'La réponse est obligatoire.',
    ofCall: true,
    holds: (facts) => filled(facts.input.answer),
  },
  'cancellation-asked': {
    text: "L'établissement n'a pas demandé d'annulation.",
    holds: (facts) => facts.cancellationAsked,
  },
  'cancellation-not-asked': {
    text: "L'annulation est déjà demandée : le radiologue doit répondre.",
    holds: (facts) => !facts.cancellationAsked,
  },
  'cancellation-answered': {
    text: "L'établissement demande l'annulation : interrompez le dossier, ou déclinez la demande.",
    holds: (facts) => !facts.cancellationAsked,
  },
  human: {
    text: 'Seule une personne nommée peut lire et signer.',
    status: 403,
    holds: (_facts, actor) => actor.kind === 'person',
  },
  'report-complete': {
    text: 'Le compte rendu est incomplet ou se contredit : corrigez-le avant de signer.',
    ofCall: true,
    holds: (facts) => facts.input.reportComplete === true,
  },
  'urgent-only': {
    text: 'Un compte rendu provisoire est réservé aux urgences.',
    holds: (facts) => facts.urgent,
  },
  'phone-exchange': {
    text: "Demande urgente : l'échange téléphonique avec le demandeur doit être enregistré avant la signature.",
    holds: (facts) => !facts.urgent || facts.phoneExchange,
  },
  'every-series-displayed': {
    text: "Toutes les séries n'ont pas été affichées : affichez-les, ou dites pourquoi.",
    ofCall: true,
    holds: (facts) => facts.images.notDisplayed === 0 || filled(facts.input.notDisplayedReason),
  },
  'whole-study': {
    text: "L'examen n'est pas complet : attendez la fin de la transmission, ou dites pourquoi vous signez.",
    ofCall: true,
    holds: (facts) => imagesComplete(facts) || filled(facts.input.notDisplayedReason),
  },
  'report-signed': {
    text: "Il n'y a pas de compte rendu signé.",
    holds: (facts) => facts.report === 'final',
  },
  'no-second-reading': {
    text: 'Une deuxième lecture est déjà demandée ou faite.',
    holds: (facts) => facts.secondReading === 'none' || (facts.secondReading === 'done' && !readTwice(facts)),
  },
  'second-reading-wanted': {
    text: "Aucune deuxième lecture n'attend de lecteur.",
    status: 409,
    holds: (facts) => facts.secondReading === 'wanted',
  },
  'second-reading-taken': {
    text: "Personne n'a pris la deuxième lecture.",
    holds: (facts) => facts.secondReading === 'taken',
  },
  'other-reader': {
    text: 'La deuxième lecture revient à un autre radiologue que le premier lecteur.',
    status: 403,
    holds: (facts, actor) => facts.owner !== actor.reference,
  },
  'opinion-given': {
    text: 'Dites si vous êtes d’accord avec le compte rendu, et votre avis.',
    ofCall: true,
    holds: ({ input }) => input.agrees !== undefined && filled(input.opinion),
  },
  'no-addendum': {
    text: 'Un additif ou une relecture est déjà ouvert sur ce compte rendu.',
    status: 409,
    holds: (facts) => facts.addendum === 'none',
  },
  'addendum-wanted': {
    text: "Aucun additif ni relecture n'attend de lecteur.",
    status: 409,
    holds: (facts) => facts.addendum === 'wanted',
  },
  'addendum-open': {
    text: "Aucun additif ni relecture n'est ouvert.",
    holds: (facts) => facts.addendum !== 'none',
  },
  'addendum-taken': {
    text: "Personne n'a pris l'additif ni la relecture.",
    holds: (facts) => facts.addendum === 'taken',
  },
  'closes-its-own': {
    text: 'Un additif ou une relecture pris se clôt par son lecteur. Non pris : un additif, par un lecteur ; une relecture demandée, par le coordonnateur.',
    status: 403,
    holds: closesIt,
  },
  'standing-or-signer': {
    text: "L'établissement vous a retiré de ses lecteurs, ou vos pièces au dossier sont échues : seul le signataire du compte rendu peut encore signaler qu'il doit être repris.",
    status: 403,
    holds: (facts, actor) => (credentialled(facts) && !facts.reader.excluded) || facts.owner === actor.reference,
  },
  'last-version': {
    text: 'Dites quelle version du compte rendu a été lue (paramètre « report », ou If-Match) : seule la dernière signée peut être confirmée. Si elle a changé, lisez-la d’abord.',
    ofCall: true,
    holds: (facts) => facts.input.lastVersion === true,
  },
  'finding-given': {
    text: 'Énoncez le résultat critique, tel qu’il doit être redit.',
    ofCall: true,
    holds: (facts) => filled(facts.input.finding),
  },
  'critical-open': {
    text: "Aucun résultat critique n'attend d'accusé de réception.",
    holds: (facts) => facts.critical === 'open',
  },
  'read-back': {
    text: 'Redites le résultat tel que vous l’avez compris : l’avoir vu ne suffit pas.',
    ofCall: true,
    holds: (facts) => filled(facts.input.readBack),
  },
  'error-declared': {
    text: "Aucune erreur n'est déclarée sur ce dossier.",
    holds: (facts) => facts.errorDeclaredBy !== undefined,
  },
  'no-error-declared': {
    text: "Ce dossier est déclaré erroné : rien n'en est signé avant qu'une seconde personne le confirme, ou que la déclaration soit retirée.",
    holds: (facts) => facts.errorDeclaredBy === undefined,
  },
  'two-persons': {
    text: 'Une erreur est déclarée par une personne et confirmée par une autre.',
    holds: (facts, actor) => facts.errorDeclaredBy !== undefined && facts.errorDeclaredBy !== actor.reference,
  },
} as const satisfies Record<string, Guard>;

export type GuardName = keyof typeof guards;

/** Conditions that choose between two rows of the same event; they refuse nothing. */
export const conditions = {
  'identity problem open': (facts) => facts.identityProblem,
  'no identity problem': (facts) => !facts.identityProblem,
  'no identity doubt': (facts) => !facts.identityDoubt,
  'protocol given': (facts) => facts.protocolGiven,
  'protocol required': (facts) => facts.protocolRequired,
  'protocol not required': (facts) => !facts.protocolRequired,
  'urgent request': (facts) => facts.urgent,
  'routine request': (facts) => !facts.urgent,
  'exam done': (facts) => facts.flow4,
  'request incomplete': (facts) => facts.missing.length > 0,
  'request complete': (facts) => facts.missing.length === 0,
  'not accepted yet': (facts) => !facts.protocolGiven,
  'question open': (facts) => facts.question,
  'image or flow 4 there, or none needed': (facts) =>
    facts.images.instances > 0 || facts.flow4 || !facts.imagesExpected,
  'images readable': (facts) => imagesReadable(facts),
  'second reading required': (facts) => facts.secondReadingRequired && !readTwice(facts),
  'no second reading required': (facts) => !facts.secondReadingRequired || readTwice(facts),
  'second reading owed since': (facts) =>
    facts.secondReadingRequired && !readTwice(facts) && !['wanted', 'taken'].includes(facts.secondReading),
  'complement signed': (facts) => facts.complement === 'required' && facts.input.complement === true,
  'readers agree': (facts) => facts.input.agrees === true,
  'readers disagree': (facts) => facts.input.agrees === false,
  'addendum open': (facts) => facts.addendum !== 'none',
  'no addendum open': (facts) => facts.addendum === 'none',
  'report signed': (facts) => facts.report === 'final',
  'report acknowledged': (facts) => facts.reportAcknowledged,
  'no critical result open': (facts) => facts.critical !== 'open',
  'no error declared': (facts) => facts.errorDeclaredBy === undefined,
  'images not quarantined': (facts) => !facts.quarantined,
} as const satisfies Record<string, (facts: Facts) => boolean>;

export type ConditionName = keyof typeof conditions;
