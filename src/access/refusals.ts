/** Refusals of access, twice: `diagnostics` for whoever integrates, `details.text` in French for the person in front of the page. */
import { FhirError } from '../fhir/index.ts';
import { type Demand, isDicom, policiesOf } from './policy.ts';

const verbs: Readonly<Record<string, string>> = {
  read: 'lire',
  vread: 'lire une version de',
  'search-type': 'rechercher',
  'search-system': 'rechercher',
  'history-instance': 'lire l’historique de',
  'history-type': 'lire l’historique de',
  'history-system': 'lire l’historique général',
  create: 'créer',
  update: 'modifier',
  patch: 'modifier',
  delete: 'supprimer',
};

/** An error with a sentence for people beside the one for integrators. */
export function refusal(
  status: number,
  code: 'login' | 'forbidden' | 'invalid' | 'not-found' | 'conflict' | 'duplicate',
  words: { diagnostics: string; text: string },
): FhirError {
  const { diagnostics, text } = words;
  return FhirError.of(status, [{ severity: 'error', code, diagnostics, details: { text } }]);
}

/** The policy grants this to none of the roles. */
export function notGranted(roles: readonly string[], demand: Demand): FhirError {
  const french = roles.map((role) => policiesOf([role])[0]?.title.toLowerCase() ?? role).join(', ');
  return refusal(403, 'forbidden', {
    diagnostics: `${english(demand)} is not allowed to ${roles.join(', ')}`,
    text: `Action réservée à d’autres rôles que le vôtre (${french}) : ${action(demand)}.`,
  });
}

function english({ interaction, type, operation }: Demand): string {
  const what = operation ? `$${operation.replace(/^\$/, '')}` : interaction;
  return type ? `${what} of ${type}` : what;
}

function action({ interaction, type, operation }: Demand): string {
  if (isDicom(interaction)) {
    const transaction = interaction.split(':')[1] ?? '';
    if (/^(stow|store|c-store)/.test(transaction)) return 'déposer des images';
    return /^(qido|query|search)/.test(transaction) ? 'rechercher des images' : 'voir les images';
  }
  const verb = operation ? `exécuter $${operation.replace(/^\$/, '')} sur` : (verbs[interaction] ?? interaction);
  return type ? `${verb} ${type}` : verb.replace(/ sur$/, '');
}
