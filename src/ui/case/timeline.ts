/** The eight timestamps the contract asks for on every case (WF-2), in its order, with its French names. */
import type { Task } from '@medplum/fhirtypes';
import { extensions } from '../fhir/systems.ts';
import { extensionOf } from './case-facts.ts';

export interface Milestone {
  code: string;
  label: string;
  /** FHIR dateTime; undefined while it has not happened. */
  at: string | undefined;
}

const contractual: readonly (readonly [code: string, label: string])[] = [
  ['requested', 'Demande'],
  ['transmitted', 'Transmission'],
  ['received', 'Réception'],
  ['protocol-requested', 'Demande de protocole'],
  ['protocoled', 'Protocole'],
  ['images-received', 'Réception des images'],
  ['report-sent', 'Interprétation transmise'],
  ['report-received', 'Interprétation reçue'],
];

/** Moments recorded besides the contract's, shown apart. */
const others: readonly (readonly [code: string, label: string])[] = [
  ['first-image', 'Première image'],
  ['ready', 'Prête à lire'],
  ['reading-started', 'Début de lecture'],
  ['signed', 'Signature'],
];

export function timeline(task: Task): { contractual: Milestone[]; others: Milestone[] } {
  const recorded = extensionOf(task.extension, extensions.milestones)?.extension;
  const read = ([code, label]: readonly [string, string]): Milestone => ({
    code,
    label,
    at: extensionOf(recorded, code)?.valueDateTime,
  });
  return { contractual: contractual.map(read), others: others.map(read).filter((one) => one.at !== undefined) };
}
