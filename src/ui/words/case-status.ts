/** French names of the case's states (CodeSystem case-status of the conventions). */
const caseStatusNames: Readonly<Record<string, string>> = {
  draft: 'brouillon',
  sent: 'transmise',
  received: 'reçue',
  'identity-hold': 'identité à vérifier',
  'information-wanted': 'complément demandé',
  'protocol-wanted': 'protocole à établir',
  refused: 'refusée',
  protocoled: 'acceptée et protocolée',
  acquiring: 'images en réception',
  ready: 'prête à lire',
  reading: 'en lecture',
  suspended: 'lecture suspendue',
  preliminary: 'compte rendu provisoire',
  'second-reading': 'relecture en cours',
  signed: 'signé',
  delivering: 'transmis au site',
  delivered: 'reçu par le site',
  addendum: 'clos avec additif ouvert',
  cancelled: 'annulée',
  interrupted: 'interrompue',
  'entered-in-error': 'erronée',
  expired: 'expirée',
};

export function caseStatusName(code: string | undefined): string {
  return caseStatusNames[code ?? ''] ?? code ?? 'état inconnu';
}

/** States whose report is signed and available. */
export const signedStates: readonly string[] = ['signed', 'delivering', 'delivered', 'addendum'];
/** States in which a radiologist is at work. */
export const readingStates: readonly string[] = ['reading', 'suspended', 'preliminary', 'second-reading'];
/** States that ended without a report. */
export const abandonedStates: readonly string[] = [
  'refused',
  'cancelled',
  'interrupted',
  'entered-in-error',
  'expired',
];
/** States in which images may still arrive. */
export const receivingStates: readonly string[] = [
  'received',
  'protocol-wanted',
  'protocoled',
  'acquiring',
  'ready',
  'reading',
  'identity-hold',
];
