/** An AuditEvent as a French sentence an auditor can read aloud (SE-6). */
import type { AuditEvent, AuditEventEntity } from '@medplum/fhirtypes';

export interface AuditLine {
  id: string;
  /** FHIR instant. */
  at: string;
  who: string;
  sentence: string;
  outcome: 'success' | 'refused' | 'failed';
  /** Address of the other side, when recorded. */
  from: string | undefined;
}

export function auditLine(event: AuditEvent): AuditLine {
  const agent = event.agent.find((one) => one.requestor) ?? event.agent[0];
  const who = agent?.who?.display ?? agent?.name ?? agent?.altId ?? agent?.who?.reference ?? 'Auteur inconnu';
  const outcome =
    event.outcome === undefined || event.outcome === '0' ? 'success' : event.outcome === '4' ? 'refused' : 'failed';
  const objects = (event.entity ?? []).map(entityText).filter((text) => text !== '');
  const verb = verbOf(event);
  const what =
    objects.length === 0
      ? ''
      : ` ${joinFrench(objects.slice(0, mostObjects))}${objects.length > mostObjects ? ` et ${objects.length - mostObjects} autres` : ''}`;
  return {
    id: event.id ?? '',
    at: event.recorded,
    who,
    sentence:
      outcome === 'success' ? `${verb}${what}` : `${outcome === 'refused' ? 'refusé' : 'échec'} : ${verb}${what}`,
    outcome,
    from: agent?.network?.address,
  };
}

const mostObjects = 4;

const interactions: Readonly<Record<string, string>> = {
  read: 'a consulté',
  vread: 'a consulté une version de',
  history: 'a consulté l’historique de',
  'history-instance': 'a consulté l’historique de',
  'history-type': 'a consulté l’historique de',
  'search-type': 'a recherché',
  search: 'a recherché',
  'search-system': 'a recherché',
  create: 'a créé',
  update: 'a modifié',
  patch: 'a modifié',
  delete: 'a supprimé',
  batch: 'a envoyé un lot',
  transaction: 'a enregistré ensemble',
  capabilities: 'a lu les capacités du serveur',
  login: 's’est connecté',
  logout: 's’est déconnecté',
  '110122': 's’est connecté',
  '110123': 's’est déconnecté',
  'dicomweb:stow': 'a envoyé des images',
  'dicomweb:qido': 'a recherché des images',
  'dicomweb:wado': 'a consulté les images',
  'system:deadline': 'a surveillé les délais',
};

const operations: Readonly<Record<string, string>> = {
  protocol: 'a protocolé',
  refuse: 'a refusé',
  cancel: 'a annulé',
  'complete-images': 'a déclaré l’examen terminé',
  'confirm-images': 'a confirmé les images',
  claim: 'a pris',
  release: 'a rendu',
  suspend: 'a suspendu la lecture de',
  resume: 'a repris la lecture de',
  'phone-exchange': 'a noté un échange téléphonique sur',
  'save-draft': 'a enregistré le brouillon de',
  displayed: 'a affiché une série de',
  sign: 'a signé',
  transitions: 'a demandé les actions possibles sur',
};

const actions: Readonly<Record<string, string>> = {
  C: 'a créé',
  R: 'a consulté',
  U: 'a modifié',
  D: 'a supprimé',
  E: 'a exécuté',
};

function verbOf(event: AuditEvent): string {
  const codes = [...(event.subtype ?? []), event.type].map((one) => one.code ?? '');
  for (const code of codes) {
    const operation = /^operation:[A-Za-z]*\/?\$([a-z-]+)$/.exec(code) ?? /^\$([a-z-]+)$/.exec(code);
    if (operation) return operations[operation[1] ?? ''] ?? `a exécuté ${operation[1]} sur`;
    const message = /^hl7v2:(.+)$/.exec(code);
    if (message) return `a envoyé un message HL7 ${message[1]} :`;
    const known = interactions[code];
    if (known !== undefined) return known;
  }
  const display = event.subtype?.[0]?.display ?? event.type.display;
  return actions[event.action ?? ''] ?? (display ? `a fait « ${display} » sur` : 'a accédé à');
}

const typeNames: Readonly<Record<string, string>> = {
  Patient: 'le patient',
  Task: 'le dossier',
  ServiceRequest: 'la demande',
  ImagingStudy: 'l’étude d’imagerie',
  DiagnosticReport: 'le compte rendu',
  DocumentReference: 'le document',
  Binary: 'le fichier',
  Observation: 'l’observation',
  Communication: 'la communication',
  AuditEvent: 'le journal',
  Practitioner: 'le professionnel',
  Organization: 'l’établissement',
  Provenance: 'la provenance',
  DetectedIssue: 'le problème détecté',
};

function entityText(entity: AuditEventEntity): string {
  const reference = entity.what?.reference;
  const type = reference?.split('/').at(-2) ?? '';
  const name = typeNames[type];
  const label = entity.what?.display ?? entity.name;
  if (name !== undefined) return `${name} ${label ?? reference?.split('/').at(-1) ?? ''}`.trim();
  if (reference !== undefined) return label ? `${type} ${label}` : reference;
  if (entity.query !== undefined) return `(recherche « ${decoded(entity.query)} »)`;
  return label ?? entity.what?.identifier?.value ?? '';
}

/** The recorded search, base64 of UTF-8; as it is when it is not. */
function decoded(query: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(atob(query), (character) => character.charCodeAt(0)),
    );
  } catch {
    return query;
  }
}

function joinFrench(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} et ${parts.at(-1)}`;
}
