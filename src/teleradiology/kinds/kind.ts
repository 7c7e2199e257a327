/**
 * Remote medical acts as configurations of one case machine (WF-13): the acts of articles L6316-1 and R6316-1 of the Code de la santé
 * publique that the platform carries. Télésurveillance and the answer of the emergency call centre are no case with a report: not here.
 */
import type { ReportText } from '../../report/contract.ts';
import type { ClockName, Role } from '../case/index.ts';
import type { RequestItem } from '../request/required-items.ts';

export type CaseKind = 'teleradiology' | 'teleexpertise' | 'teleconsultation' | 'teleassistance';

/** A delay of this kind where no clause of a contract says otherwise; it takes the place of the one of imaging. */
export interface KindDelay {
  /** Names the clause, CodeSystem `clock-rule`. */
  rule: string;
  clock: ClockName;
  minutes: number;
  /** Absent: both. */
  urgency?: 'urgent' | 'routine';
  /** French, shown on the case. */
  text: string;
}

export interface KindDefinition {
  /** Code of CodeSystem `case-kind`. */
  code: CaseKind;
  /** French, shown to people. */
  display: string;
  /** What the act is, in one French sentence. */
  description: string;
  /** Where it is defined. */
  clause: string;
  /** Roles that may read, write and sign. */
  readers: readonly Role[];
  /** Read from images of the exam: without them there is nothing to claim. */
  imagesExpected: boolean;
  /** The establishment's contract may ask for a protocol before, and announce the exam done (flow 4). */
  protocolled: boolean;
  /** Items a request of this kind can lack; of those, the establishment's setting says which are asked (IN-6). */
  items: 'all' | readonly RequestItem[];
  /** Defaults of its clocks; those of imaging hold for the others. A contract's clause with the kind as its act wins over them. */
  delays: readonly KindDelay[];
  /** What is signed in the end. */
  document: {
    /** LOINC type of the document. */
    type: { code: string; display: string };
    /** Name printed on it. */
    name: string;
    /** Category of the DiagnosticReport (HL7 table 0074). */
    category: string;
    /** Headings of the four chapters. */
    chapters: Record<keyof ReportText, string>;
  };
}

/** CI-SIS, volet TLM-CR: report of an act of telemedicine. */
const telemedicineReport = { code: '85208-7', display: 'CR de télémédecine' };
/** What a colleague is asked with, whatever the act. */
const askedWith: readonly RequestItem[] = [
  'reason',
  'patient-identifier',
  'requester',
  'requester-phone',
  'consent',
  'clinical-information',
];

const hour = 60;
const day = 24 * hour;
/** How long the answer takes of a kind that is no imaging. */
const answered = (kind: string, text: string, urgent: number, routine: number): KindDelay[] => [
  { rule: `${kind}-urgent`, clock: 'interpretation', minutes: urgent, urgency: 'urgent', text: `${text} en urgence` },
  { rule: `${kind}-routine`, clock: 'interpretation', minutes: routine, urgency: 'routine', text },
];

export const kinds: readonly KindDefinition[] = [
  {
    code: 'teleradiology',
    display: 'Téléradiologie',
    description: 'Un radiologue interprète à distance les images d’un examen fait par l’établissement.',
    clause: 'CSP R6316-1, 2° ; R6316-10',
    readers: ['radiologist'],
    imagesExpected: true,
    protocolled: true,
    items: 'all',
    delays: [],
    document: {
      type: { code: '18748-4', display: "CR d'imagerie médicale" },
      name: 'Compte rendu d’imagerie médicale',
      category: 'RAD',
      chapters: { indication: 'Indication', technique: 'Technique', results: 'Résultats', conclusion: 'Conclusion' },
    },
  },
  {
    code: 'teleexpertise',
    display: 'Téléexpertise',
    description:
      'Un professionnel de santé demande à distance l’avis d’un confrère, pour sa formation ou sa compétence, sur des éléments du dossier du patient.',
    clause: 'CSP R6316-1, 2°',
    readers: ['expert'],
    imagesExpected: false,
    protocolled: false,
    items: askedWith,
    // Asked by letter a colleague answers within days; who asks may be in surgery and answers questions the next day.
    delays: [
      ...answered('teleexpertise', 'Avis demandé', 4 * hour, 3 * day),
      { rule: 'teleexpertise-information', clock: 'information', minutes: day, text: 'Complément demandé au confrère' },
    ],
    document: {
      type: telemedicineReport,
      name: 'Compte rendu de téléexpertise',
      category: 'OTH',
      chapters: {
        indication: 'Question posée',
        technique: 'Éléments examinés',
        results: 'Analyse',
        conclusion: 'Avis',
      },
    },
  },
  {
    code: 'teleconsultation',
    display: 'Téléconsultation',
    description:
      'Un professionnel médical donne une consultation à distance à un patient, qu’un professionnel de santé peut assister sur place.',
    clause: 'CSP R6316-1, 1°',
    readers: ['expert'],
    imagesExpected: false,
    protocolled: false,
    items: askedWith,
    delays: answered('teleconsultation', 'Consultation demandée', hour, 7 * day),
    document: {
      type: telemedicineReport,
      name: 'Compte rendu de téléconsultation',
      category: 'OTH',
      chapters: {
        indication: 'Motif',
        technique: 'Déroulement',
        results: 'Examen',
        conclusion: 'Conclusion et prescriptions',
      },
    },
  },
  {
    code: 'teleassistance',
    display: 'Téléassistance médicale',
    description:
      'Un professionnel médical assiste à distance un autre professionnel de santé pendant qu’il fait un acte.',
    clause: 'CSP R6316-1, 4°',
    readers: ['expert', 'radiologist'],
    imagesExpected: false,
    protocolled: false,
    items: askedWith,
    // Somebody is in the middle of an act.
    delays: answered('teleassistance', 'Assistance demandée', 15, hour),
    document: {
      type: telemedicineReport,
      name: 'Compte rendu de téléassistance',
      category: 'OTH',
      chapters: {
        indication: 'Acte assisté',
        technique: 'Déroulement',
        results: 'Constatations',
        conclusion: 'Conclusion',
      },
    },
  },
];

const byCode: ReadonlyMap<string, KindDefinition> = new Map(kinds.map((kind) => [kind.code, kind]));

/** Undefined for a code that is not a kind. */
export function kindDefinition(code: string): KindDefinition | undefined {
  return byCode.get(code);
}

/** The kind of a case about which nothing is said. */
export const ordinary = kinds[0] as KindDefinition;
