/** The fictitious patients and exams of the demonstration hospital. Matricules are under the INS test OID. */

/** One exam as the simulated RIS knows it. */
export interface DemoCase {
  placerNumber: string;
  accessionNumber: string;
  appointment: string;
  ipp: string;
  /** 15 characters, or undefined when the identity is not qualified. */
  ins: string | undefined;
  birthName: string;
  givenNames: string;
  /** YYYYMMDD */
  birthDate: string;
  sex: 'F' | 'M';
  birthPlace: string;
  /** PV1-2 */
  encounterClass: 'E' | 'I' | 'O';
  region: { code: string; display: string };
  modifier?: { code: string; display: string };
  /** LOINC act of flow 4. */
  act: { code: string; display: string };
  justification: string;
  purpose: string;
  history: string;
  heightCm: number;
  weightKg: number;
  pregnant?: 'Y' | 'N';
  seriesDescription: string;
  slices: number;
}

/** Adds the two check digits of a NIR: 97 − (N mod 97), Corsica's letters as 19 and 18. */
export function withKey(first13: string): string {
  const digits = first13.replace('2A', '19').replace('2B', '18');
  return first13 + String(97 - (Number(digits) % 97)).padStart(2, '0');
}

const head = { code: '774007', display: 'tête et cou' };
const thorax = { code: '67734004', display: 'thorax' };
const abdomen = { code: '63337009', display: 'abdomen et pelvis' };

/** The night's requests: an emergency, an in-patient, an out-patient, and one without a qualified identity. */
export function demoCases(suffix = ''): DemoCase[] {
  return [
    {
      placerNumber: `DEM-2026-1001${suffix}`,
      accessionNumber: `ACN26-1001${suffix}`,
      appointment: `RDV-2026-1001${suffix}`,
      ipp: '0000451234',
      ins: withKey('2850433063217'),
      birthName: 'TEST-MOREAU',
      givenNames: 'CAMILLE LOUISE',
      birthDate: '19850417',
      sex: 'F',
      birthPlace: '33063',
      encounterClass: 'E',
      region: head,
      act: { code: '30799-1', display: 'TDM tête sans contraste' },
      justification:
        'Céphalée brutale inhabituelle depuis 2 h, examen neurologique normal. Recherche hémorragie méningée.',
      purpose: 'Éliminer une hémorragie sous-arachnoïdienne avant ponction lombaire',
      history: 'Migraine connue.',
      heightCm: 168,
      weightKg: 61.5,
      pregnant: 'N',
      seriesDescription: 'CRANE SANS IV 1.25',
      slices: 40,
    },
    {
      placerNumber: `DEM-2026-1002${suffix}`,
      accessionNumber: `ACN26-1002${suffix}`,
      appointment: `RDV-2026-1002${suffix}`,
      ipp: '0000451777',
      ins: withKey('1480333063102'),
      birthName: 'TEST-LEFEVRE',
      givenNames: 'JEAN-PIERRE HENRI',
      birthDate: '19480312',
      sex: 'M',
      birthPlace: '33063',
      encounterClass: 'I',
      region: head,
      modifier: { code: '24028007', display: 'droite' },
      act: { code: '24725-4', display: 'TDM tête' },
      justification: 'Déficit hémicorporel gauche depuis 1 h 30, NIHSS 12. Alerte thrombolyse.',
      purpose: 'Éliminer une hémorragie, rechercher une occlusion proximale',
      history: 'Fibrillation auriculaire, anticoagulé.',
      heightCm: 176,
      weightKg: 82,
      seriesDescription: 'CRANE AVC 1.25',
      slices: 36,
    },
    {
      placerNumber: `DEM-2026-1003${suffix}`,
      accessionNumber: `ACN26-1003${suffix}`,
      appointment: `RDV-2026-1003${suffix}`,
      ipp: '0000452001',
      ins: withKey('1920275056044'),
      birthName: "TEST-D'ALMEIDA",
      givenNames: 'NOÉ'.normalize('NFD').replace(/\p{M}/gu, ''),
      birthDate: '19920221',
      sex: 'M',
      birthPlace: '75056',
      encounterClass: 'O',
      region: thorax,
      act: { code: '24627-2', display: 'TDM thorax' },
      justification: 'Toux persistante depuis six semaines, radiographie non contributive.',
      purpose: 'Recherche de foyer ou de bronchectasies',
      history: 'Tabagisme sevré.',
      heightCm: 181,
      weightKg: 74,
      seriesDescription: 'THORAX 1.25',
      slices: 30,
    },
    {
      placerNumber: `DEM-2026-1004${suffix}`,
      accessionNumber: `ACN26-1004${suffix}`,
      appointment: `RDV-2026-1004${suffix}`,
      ipp: '0000452090',
      ins: undefined,
      birthName: 'TEST-INCONNUE',
      givenNames: 'ZOE',
      birthDate: '20000101',
      sex: 'F',
      birthPlace: '',
      encounterClass: 'E',
      region: abdomen,
      act: { code: '30620-9', display: 'TDM abdomen et pelvis' },
      justification: 'Douleur de la fosse iliaque droite fébrile.',
      purpose: 'Appendicite ?',
      history: 'Aucun antécédent connu.',
      heightCm: 165,
      weightKg: 58,
      pregnant: 'N',
      seriesDescription: 'ABDOMEN 1.25',
      slices: 30,
    },
  ];
}
