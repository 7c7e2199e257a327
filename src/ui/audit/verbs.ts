/** What was done, out of an AuditEvent's subtype, type and action. */
import type { AuditEvent } from '@medplum/fhirtypes';

const interactions: Readonly<Record<string, string>> = {
  read: 'a consulté',
  vread: 'a consulté une version de',
  history: 'a consulté l’historique de',
  'history-instance': 'a consulté l’historique de',
  'history-type': 'a consulté l’historique de',
  'search-type': 'a recherché',
  'search-system': 'a recherché',
  create: 'a créé',
  update: 'a modifié',
  patch: 'a modifié',
  delete: 'a supprimé',
  batch: 'a envoyé un lot :',
  transaction: 'a enregistré ensemble',
  capabilities: 'a lu les capacités du serveur',
  '110122': 's’est connecté',
  '110123': 's’est déconnecté',
  '110127': 'a ouvert un accès d’urgence (bris de glace) sur',
  '110138': 'a refermé l’accès d’urgence',
  '110129': 'a modifié les règles de sécurité',
  '110137': 'a modifié un compte ou ses moyens d’accès',
  '110139': 'a commencé une télémaintenance',
  '110140': 'a terminé la télémaintenance',
  '110101': 'a utilisé la trace',
  '110106': 'a exporté des données',
  '110107': 'a importé des données',
  destroy: 'a détruit des données arrivées au terme de leur conservation',
};

const operations: Readonly<Record<string, string>> = {
  protocol: 'a protocolé',
  refuse: 'a refusé',
  cancel: 'a annulé',
  'complete-images': 'a déclaré terminé l’examen de',
  'confirm-images': 'a confirmé les images de',
  claim: 'a pris',
  release: 'a rendu',
  suspend: 'a suspendu la lecture de',
  resume: 'a repris la lecture de',
  'phone-exchange': 'a noté un échange téléphonique sur',
  'save-draft': 'a enregistré le brouillon de',
  displayed: 'a affiché une série de',
  'declare-error': 'a déclaré erroné',
  'withdraw-error': 'a retiré la déclaration d’erreur de',
  'enter-in-error': 'a confirmé l’erreur de',
  sign: 'a signé',
  transitions: 'a demandé les actions possibles sur',
  'on-duty': 'a demandé qui est de garde :',
  rota: 'a consulté le tableau de garde :',
  radiologists: 'a consulté la liste des radiologues :',
  'plan-duty': 'a planifié une garde :',
  publish: 'a publié le tableau de garde :',
  swap: 'a échangé ou confié une garde :',
  'ask-swap': 'a demandé l’échange d’une garde :',
  exclude: 'a exclu un radiologue :',
  reinstate: 'a rétabli un radiologue :',
};

/** Interactions named `protocol:detail`, first match. */
const families: readonly (readonly [RegExp, (detail: string) => string])[] = [
  [/^operation:[A-Za-z]*\/?\$([a-z-]+)$/, (name) => operations[name] ?? `a exécuté ${name} sur`],
  [/^hl7v2:(.+\^.+)$/, (message) => `a envoyé un message HL7 ${message} :`],
  [/^hl7v2:withdrawal-[a-z]+$/, () => 'a transmis au RIS l’annulation du compte rendu :'],
  [/^hl7v2:report-[a-z]+$/, () => 'a transmis au RIS le compte rendu :'],
  [/^hl7v2:request-answer$/, () => 'a transmis au RIS la réponse à la demande :'],
  [/^hl7v2:attachment-[a-z]+$/, () => 'a transmis au RIS une pièce jointe :'],
  [/^hl7v2:(.+)$/, (message) => `a transmis au RIS le message ${message} :`],
  [/^operation:Subscription\/\$notify$/, () => 'a reçu une notification sur'],
  [/^dicomweb:(?:stow|store)(.*)$/, () => 'a envoyé des images :'],
  [/^dicomweb:(?:qido|query|search)(.*)$/, () => 'a recherché des images :'],
  [/^dicomweb:(.*)$/, () => 'a consulté les images de'],
  [/^operator:(.+)$/, (command) => `a lancé la commande « ${command} »`],
  [/^dimse:(?:c-store)$/, () => 'a envoyé des images :'],
  [/^dimse:associate$/, () => 'a ouvert une association DICOM :'],
  [/^dimse:release$/, () => 'a fini d’envoyer des images :'],
  [/^dimse:n-event-report$/, () => 'a dit quelles images sont tenues :'],
  [/^dimse:/, () => 'a échangé des images :'],
  [/^delivery:?(.*)$/, () => 'a transmis'],
  [/^system:(.*)$/, (name) => `a exécuté la tâche ${name} :`],
];

const actions: Readonly<Record<string, string>> = {
  C: 'a créé',
  R: 'a consulté',
  U: 'a modifié',
  D: 'a supprimé',
  E: 'a exécuté une action sur',
};

export function verbOf(event: AuditEvent): string {
  // The most telling first: what an operator typed says more than that a restricted function was used.
  const own = (event.subtype ?? []).filter(({ code }) => code?.startsWith('operator:'));
  for (const { code } of [...own, ...(event.subtype ?? []), event.type]) {
    if (code === undefined) continue;
    for (const [pattern, phrase] of families) {
      const match = pattern.exec(code);
      if (match) return phrase(match[1] ?? '');
    }
    const known = interactions[code];
    if (known !== undefined) return known;
  }
  return actions[event.action ?? ''] ?? 'a accédé à';
}
