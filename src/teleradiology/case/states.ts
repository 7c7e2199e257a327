/** CodeSystem `case-status`: the states of a case, in the order a case usually meets them. */
import type { Task } from '@medplum/fhirtypes';

/** Code of `Task.businessStatus`. */
export type CaseState =
  | 'draft'
  | 'sent'
  | 'received'
  | 'identity-hold'
  | 'information-wanted'
  | 'protocol-wanted'
  | 'refused'
  | 'protocoled'
  | 'acquiring'
  | 'ready'
  | 'reading'
  | 'suspended'
  | 'preliminary'
  | 'second-reading'
  | 'signed'
  | 'delivering'
  | 'delivered'
  | 'addendum'
  | 'cancelled'
  | 'interrupted'
  | 'entered-in-error'
  | 'expired';

/** What a state means to people and to FHIR clients that do not know our codes. */
export interface StateDefinition {
  code: CaseState;
  /** French designation, shown to people. */
  display: string;
  /** `Task.status` that goes with it, always. */
  status: Task['status'];
  /** Nothing leaves it: a new request is needed. */
  final?: true;
  /** The nominal path ends here; only an addendum or an error reopens it. */
  closed?: true;
}

export const states: readonly StateDefinition[] = [
  { code: 'draft', display: 'Brouillon', status: 'draft' },
  { code: 'sent', display: 'Transmise', status: 'requested' },
  { code: 'received', display: 'Reçue', status: 'received' },
  { code: 'identity-hold', display: 'Identité à vérifier', status: 'on-hold' },
  { code: 'information-wanted', display: 'Complément demandé', status: 'on-hold' },
  { code: 'protocol-wanted', display: 'Protocole à établir', status: 'received' },
  { code: 'refused', display: 'Refusée', status: 'rejected', final: true },
  { code: 'protocoled', display: 'Acceptée et protocolée', status: 'accepted' },
  { code: 'acquiring', display: 'Images en réception', status: 'accepted' },
  { code: 'ready', display: 'Prête à lire', status: 'ready' },
  { code: 'reading', display: 'En lecture', status: 'in-progress' },
  { code: 'suspended', display: 'Lecture suspendue', status: 'on-hold' },
  { code: 'preliminary', display: 'Compte rendu provisoire', status: 'in-progress' },
  { code: 'second-reading', display: 'Relecture en cours', status: 'in-progress' },
  { code: 'signed', display: 'Signé', status: 'in-progress' },
  { code: 'delivering', display: 'Transmis au site', status: 'in-progress' },
  { code: 'delivered', display: 'Reçu par le site', status: 'completed', closed: true },
  { code: 'addendum', display: 'Clos avec additif ouvert', status: 'completed' },
  { code: 'cancelled', display: 'Annulée', status: 'cancelled', final: true },
  { code: 'interrupted', display: 'Interrompue', status: 'failed', final: true },
  { code: 'entered-in-error', display: 'Erronée', status: 'entered-in-error', final: true },
  { code: 'expired', display: 'Expirée', status: 'failed', final: true },
];

const byCode: ReadonlyMap<string, StateDefinition> = new Map(states.map((state) => [state.code, state]));

/** Definition of a state; undefined for a code that is not one. */
export function stateDefinition(code: string): StateDefinition | undefined {
  return byCode.get(code);
}

/** A radiologist holds the case. */
export const inHand: readonly CaseState[] = ['reading', 'suspended', 'preliminary', 'second-reading'];

/** States in which the signed report exists: the reading clock has stopped. */
export const signedStates: readonly CaseState[] = ['signed', 'delivering', 'delivered', 'addendum'];

/** States before signature in which somebody still owes something. */
export const openStates: readonly CaseState[] = states
  .filter((state) => state.final !== true && !signedStates.includes(state.code))
  .map((state) => state.code);
