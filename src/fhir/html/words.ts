/** The French of the pages. */

const instant = new Intl.DateTimeFormat('fr-FR', {
  timeZone: 'Europe/Paris',
  dateStyle: 'short',
  timeStyle: 'medium',
});

/** An instant as the clock in Paris shows it; the text itself when it is none. */
export function instantText(text: string | undefined): string {
  if (text === undefined) return '';
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : instant.format(date);
}

const statuses: Readonly<Record<number, string>> = {
  400: 'Demande incorrecte',
  401: 'Connexion nécessaire',
  403: 'Accès refusé',
  404: 'Introuvable',
  405: 'Action impossible à cette adresse',
  406: 'Format non disponible',
  409: 'Conflit avec une autre modification',
  410: 'Ressource supprimée',
  412: 'Condition non remplie',
  413: 'Envoi trop volumineux',
  415: 'Format d’envoi non reconnu',
  422: 'Demande refusée',
  429: 'Trop de demandes',
  503: 'Service momentanément indisponible',
};

export function statusText(status: number): string {
  return statuses[status] ?? (status >= 500 ? 'Erreur du serveur' : 'Résultat');
}

const severities: Readonly<Record<string, string>> = {
  fatal: 'Erreur fatale',
  error: 'Erreur',
  warning: 'Avertissement',
  information: 'Information',
};

export function severityText(severity: string): string {
  return severities[severity] ?? severity;
}

/** Issue types of https://hl7.org/fhir/R4/valueset-issue-type.html. */
const issues: Readonly<Record<string, string>> = {
  invalid: 'contenu invalide',
  structure: 'structure incorrecte',
  required: 'élément obligatoire absent',
  value: 'valeur incorrecte',
  invariant: 'règle non respectée',
  security: 'sécurité',
  login: 'connexion nécessaire',
  expired: 'session expirée',
  forbidden: 'droit insuffisant',
  processing: 'traitement impossible',
  'not-supported': 'non pris en charge',
  duplicate: 'doublon',
  'multiple-matches': 'plusieurs correspondances',
  'not-found': 'introuvable',
  deleted: 'supprimé',
  'too-long': 'trop long',
  'code-invalid': 'code inconnu',
  'business-rule': 'règle de gestion',
  conflict: 'conflit de versions',
  'too-costly': 'trop coûteux',
  timeout: 'délai dépassé',
  exception: 'erreur interne',
  informational: 'information',
};

export function issueText(code: string): string {
  return issues[code] ?? code;
}

const relations: Readonly<Record<string, string>> = {
  first: 'Première page',
  previous: 'Page précédente',
  prev: 'Page précédente',
  next: 'Page suivante',
  last: 'Dernière page',
};

/** Undefined for links that lead nowhere else (`self`). */
export function relationText(relation: string): string | undefined {
  return relations[relation];
}

const placeholders: Readonly<Record<string, string>> = {
  date: 'ge2024-01-31',
  token: 'système|code',
  reference: 'Type/id',
  string: 'début du texte',
  number: '42',
  quantity: '5.4|http://unitsofmeasure.org|mg',
  uri: 'https://…',
  composite: 'valeur$valeur',
};

/** What a search parameter of this type takes. */
export function placeholderOf(type: string): string {
  return placeholders[type] ?? '';
}

const methods: Readonly<Record<string, string>> = {
  POST: 'création',
  PUT: 'modification',
  PATCH: 'modification',
  DELETE: 'suppression',
};

/** What made a version of the history. */
export function methodText(method: string | undefined): string {
  return (method && methods[method]) ?? method ?? '';
}
