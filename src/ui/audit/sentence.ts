/** An AuditEvent as a French sentence an auditor can read aloud (SE-6). The trail follows IHE BALP. */
import type { AuditEvent, AuditEventEntity } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { verbOf } from './verbs.ts';

export interface AuditLine {
  id: string;
  /** FHIR instant. */
  at: string;
  who: string;
  sentence: string;
  outcome: 'success' | 'refused' | 'failed';
  /** Patients concerned, as `Patient/id`. */
  patients: string[];
  /** Other resources concerned, as `Type/id`. */
  objects: string[];
  /** Why data were used, when recorded. */
  purpose: string | undefined;
  /** What was said about it: a reason, a refusal. */
  reason: string | undefined;
  /** The search as it was asked, when it was one. */
  query: string | undefined;
  /** A count that served nothing: screens ask for one every few seconds to know whether something changed. */
  counts: boolean;
  /** Address of the other side, when recorded. */
  from: string | undefined;
}

/** Objects named in a sentence; beyond, their number is said. */
const mostObjects = 3;

export function auditLine(event: AuditEvent): AuditLine {
  const agent = event.agent.find((one) => one.requestor) ?? event.agent[0];
  const who = agent?.who?.display ?? agent?.name ?? agent?.altId ?? agent?.who?.reference ?? 'Auteur inconnu';
  const outcome = outcomeOf(event);
  const entities = (event.entity ?? []).filter((one) => one.type?.code !== 'XrequestId');
  const references = entities.map((one) => literalReference(one.what));
  const patients = [...new Set(references.filter((one) => one?.startsWith('Patient/')))] as string[];
  const objects = entities
    .filter((one, index) => one.query === undefined && !/^(Patient|Parameters)\//.test(references[index] ?? ''))
    .map(entityText)
    .filter((text) => text !== '');
  const query = entities.flatMap((one) => (one.query === undefined ? [] : decoded(one.query)))[0];
  const named =
    objects.length > mostObjects
      ? [...objects.slice(0, mostObjects), `${objects.length - mostObjects} autres`]
      : objects;
  // Nothing follows: neither does the word that leads to it.
  const verb = named.length === 0 && query === undefined ? verbOf(event).replace(/ (?::|sur|de)$/, '') : verbOf(event);
  const sentence = [verb, query === undefined ? '' : searchText(query, objects.length), joinFrench(named)]
    .filter((part) => part !== '')
    .join(' ');
  return {
    id: event.id ?? '',
    at: event.recorded,
    who,
    sentence: outcome === 'success' ? sentence : `${outcome === 'refused' ? 'refusé' : 'échec'} : ${sentence}`,
    outcome,
    patients,
    objects: byImportance(references.filter((one) => one !== undefined && !one.startsWith('Patient/')) as string[]),
    purpose: purposes[event.purposeOfEvent?.[0]?.coding?.[0]?.code ?? ''],
    // Of a refusal it says again what was asked, in technical terms.
    reason: outcome === 'refused' ? undefined : (reasons[event.outcomeDesc ?? ''] ?? event.outcomeDesc),
    query,
    counts: query !== undefined && /[?&]_summary=count/.test(query) && patients.length === 0,
    from: (agent?.network ?? event.agent.find((one) => one.network?.type === '2')?.network)?.address,
  };
}

/** `0` success; a failed login is a refusal; `8` is refused by the policy, `4` and `12` failed. */
function outcomeOf(event: AuditEvent): AuditLine['outcome'] {
  if (event.outcome === undefined || event.outcome === '0') return 'success';
  const isLogin = event.subtype?.some((one) => one.code === '110122') === true;
  return event.outcome === '8' || isLogin ? 'refused' : 'failed';
}

const purposes: Readonly<Record<string, string>> = {
  TREAT: 'soins',
  HQUALIMP: 'qualité',
  HCOMPL: 'audit',
  HSYSADMIN: 'exploitation',
  BTG: 'bris de glace',
};

/** Codes of how somebody signed in. */
const reasons: Readonly<Record<string, string>> = {
  password: 'par mot de passe',
};

const typeNames: Readonly<Record<string, string>> = {
  Task: 'le dossier',
  ServiceRequest: 'la demande',
  ImagingStudy: 'l’étude d’imagerie',
  DiagnosticReport: 'le compte rendu',
  DocumentReference: 'le document',
  Binary: 'le fichier',
  Observation: 'l’observation',
  Communication: 'la communication',
  AuditEvent: 'l’événement du journal',
  Practitioner: 'le professionnel',
  Organization: 'l’établissement',
  PractitionerRole: 'le rôle',
  Schedule: 'le tableau de garde',
  Slot: 'la garde',
  Provenance: 'la provenance',
  DetectedIssue: 'le problème détecté',
  Consent: 'le consentement',
  Flag: 'le signalement',
};

/** Each once; what an auditor follows first. */
function byImportance(references: readonly string[]): string[] {
  const types = ['Task', 'ServiceRequest', 'DiagnosticReport', 'ImagingStudy', 'DocumentReference'];
  const rank = (reference: string): number => {
    const at = types.indexOf(reference.slice(0, reference.indexOf('/')));
    return at < 0 ? types.length : at;
  };
  return [...new Set(references)].sort((a, b) => rank(a) - rank(b));
}

/** Type of a referenced resource, for people. */
export function objectLabel(reference: string): string {
  const type = reference.slice(0, reference.indexOf('/'));
  const name = typeNames[type]?.replace(/^(?:le |la |l’)/, '') ?? type;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The end of a long id tells it apart; the whole reference is beside the sentence. */
export function shortId(id: string): string {
  return id.length > 20 ? `…${id.slice(-8)}` : id;
}

function entityText(entity: AuditEventEntity): string {
  const literal = literalReference(entity.what);
  const label = entity.what?.display ?? entity.name;
  if (literal !== undefined) {
    const [type = '', id = ''] = literal.split('/');
    return `${typeNames[type] ?? type} ${label ?? shortId(id)}`;
  }
  return label ?? '';
}

const searchedNames: Readonly<Record<string, string>> = {
  Task: 'les dossiers',
  Patient: 'les patients',
  ServiceRequest: 'les demandes',
  ImagingStudy: 'les études d’imagerie',
  DiagnosticReport: 'les comptes rendus',
  DocumentReference: 'les documents',
  Observation: 'les observations',
  Communication: 'les messages',
  Flag: 'les signalements',
  DetectedIssue: 'les problèmes détectés',
  AuditEvent: 'le journal',
  Practitioner: 'les professionnels',
  Organization: 'les établissements',
};

/** Where was looked, and whether anything was served. */
function searchText(query: string, served: number): string {
  const type = query.split('?')[0] ?? '';
  return `parmi ${searchedNames[type] ?? type}${served === 0 ? ' (rien de servi)' : ' :'}`;
}

/** The recorded search, base64 of UTF-8; as it is when it is not. */
function decoded(query: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(atob(query), (character) => character.charCodeAt(0)),
    );
    return decodeURIComponent(text);
  } catch {
    return query;
  }
}

function joinFrench(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} et ${parts.at(-1)}`;
}
