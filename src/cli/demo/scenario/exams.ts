/** The exams of the scenarios: patients of the demonstration hospital, few images each. */
import { type DemoCase, demoCases, withKey } from '../../demonstration/cases.ts';

const slices = 6;

function exam(index: number, changes: Partial<DemoCase>): DemoCase {
  const base = demoCases()[index];
  if (!base) throw new Error(`la démonstration n’a pas de dossier ${index}`);
  return { ...base, slices, ...changes };
}

/** A man with a stroke in the emergency department. */
export const stroke = (): DemoCase => exam(1, { encounterClass: 'E' });
/** A woman with sudden headache in the emergency department. */
export const headache = (): DemoCase => exam(0, {});
/** A persistent cough, out-patient. */
export const cough = (): DemoCase => exam(2, {});
/** A woman of child-bearing age, out-patient, of whom nobody said whether she is pregnant. */
export const unsaidPregnancy = (): DemoCase =>
  exam(2, {
    placerNumber: 'DEM-2026-1005',
    accessionNumber: 'ACN26-1005',
    appointment: 'RDV-2026-1005',
    ipp: '0000452113',
    ins: withKey('2940875056121'),
    birthName: 'TEST-GARNIER',
    givenNames: 'INES MARIE',
    birthDate: '19940816',
    sex: 'F',
  });
/** A man brought in after a road accident: whole body. */
export const polytrauma = (): DemoCase =>
  exam(2, {
    placerNumber: 'DEM-2026-1006',
    accessionNumber: 'ACN26-1006',
    appointment: 'RDV-2026-1006',
    ipp: '0000452240',
    ins: withKey('1970633063188'),
    birthName: 'TEST-BLANCHARD',
    givenNames: 'HUGO PAUL',
    birthDate: '19970611',
    encounterClass: 'E',
    region: { code: '38266002', display: 'corps entier' },
    act: { code: '72254-6', display: 'TDM corps entier avec contraste' },
    justification: 'Accident de la voie publique à haute cinétique, Glasgow 14, douleur thoracique gauche.',
    purpose: 'Bilan lésionnel de polytraumatisé',
    history: 'Aucun antécédent connu.',
    seriesDescription: 'CORPS ENTIER IV 1.25',
  });
