/** Security incidents (SE-10): what is detected, how grave it is, and how people are told. */

interface IncidentKindFacts {
  severity: 'information' | 'warning' | 'critical';
  /** Said in the alert and in the resource, in French. */
  title: string;
  /** What whoever gets the alert does first. */
  advice: string;
}

export const incidentKinds = {
  'brute-force': {
    severity: 'critical',
    title: 'Essais répétés de mots de passe',
    advice: 'Vérifiez l’origine des essais, prévenez le titulaire du compte et bloquez l’adresse si elle est inconnue.',
  },
  'cross-tenant': {
    severity: 'critical',
    title: 'Tentative d’accès aux données d’un autre établissement',
    advice: 'Désactivez le compte ou le client en attendant l’explication de son titulaire.',
  },
  probing: {
    severity: 'warning',
    title: 'Demandes refusées en série par la politique d’accès',
    advice: 'Vérifiez les droits du compte : erreur de configuration ou recherche de failles.',
  },
  'break-glass': {
    severity: 'warning',
    title: 'Accès en bris de glace',
    advice: 'Contrôlez le motif déclaré et les accès faits pendant l’ouverture, dans la trace.',
  },
  'chain-break': {
    severity: 'critical',
    title: 'Rupture de la chaîne de preuve de la trace',
    advice: 'Conservez la base en l’état, lancez « audit-verify » et prévenez le responsable de la sécurité.',
  },
  'clock-drift': {
    severity: 'warning',
    title: 'Horloge décalée',
    advice: 'Vérifiez la synchronisation NTP du serveur et de la base : la trace et les délais en dépendent.',
  },
  malware: {
    severity: 'critical',
    title: 'Logiciel malveillant dans une pièce jointe',
    advice: 'Prévenez l’expéditeur ; la pièce est en quarantaine et n’a été remise à personne.',
  },
  'token-misuse': {
    severity: 'critical',
    title: 'Jeton ou code d’autorisation rejoué',
    advice: 'Les jetons concernés sont révoqués ; faites renouveler la clé du client.',
  },
  'review-overdue': {
    severity: 'warning',
    title: 'Revue des comptes en retard',
    advice: 'Faites la revue des comptes de la période échue (« account-review »).',
  },
} as const satisfies Record<string, IncidentKindFacts>;

export type IncidentKind = keyof typeof incidentKinds;

/** Something seen that is, or continues, an incident. Names of accounts are staff's; nothing about patients may be in it. */
export interface Occurrence {
  kind: IncidentKind;
  /** Occurrences of one kind about the same subject within a day are one incident: an account, an address, a seal. */
  subject: string;
  /** How often it was seen since it was last told; 1 when absent. */
  times?: number;
  account?: string;
  network?: string;
  /** One French line: what exactly. */
  detail?: string;
}

/** An incident as it stands. */
export interface Incident {
  kind: IncidentKind;
  severity: IncidentKindFacts['severity'];
  status: 'open' | 'closed';
  occurrences: number;
  /** First and last time it was seen. */
  first: Date;
  last: Date;
  account?: string;
  network?: string;
  detail?: string;
  /** What was done about it, once closed. */
  handling?: string;
}
