/** What is wrong with a link of the audit trail: its code, which the documents explain (docs/access/audit.md), and the same in French. */
import type { Fault } from '../access/index.ts';

const texts: Readonly<Record<Fault['kind'], string>> = {
  'seal-missing': 'il manque un sceau',
  'seal-altered': 'sceau modifié',
  'seals-reordered': 'sceaux dans un autre ordre',
  'signature-wrong': 'signature fausse',
  'key-unknown': 'signé par une clé inconnue',
  'row-removed': 'ligne retirée',
  'row-altered': 'ligne modifiée',
  'row-inserted': 'ligne ajoutée',
  'row-removed-unsealed': 'ligne retirée avant d’être scellée',
  'event-removed': 'événement retiré',
  'event-altered': 'événement modifié',
  'event-inserted': 'événement ajouté',
  'tail-cut': 'fin de la chaîne coupée',
  'chain-rewritten': 'chaîne refaite',
  'certificate-wrong': 'certificat de destruction faux',
};

export function faultText(kind: Fault['kind']): string {
  return `${kind} (${texts[kind]})`;
}
