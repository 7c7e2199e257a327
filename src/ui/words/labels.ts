/** French names of the codes people see: modality, sex, urgency, roles, encounter class. */
const modalities: Readonly<Record<string, string>> = {
  CT: 'Scanner',
  MR: 'IRM',
  CR: 'Radiographie',
  DX: 'Radiographie',
  US: 'Échographie',
  MG: 'Mammographie',
  NM: 'Médecine nucléaire',
  PT: 'TEP',
  XA: 'Angiographie',
  RF: 'Radioscopie',
};

export function modalityName(code: string | undefined): string | undefined {
  return code === undefined ? undefined : (modalities[code] ?? code);
}

/** Sex as printed in lists, with the letter French readers use. */
export function sexLetter(gender: string | undefined): string {
  return gender === 'male' ? 'M' : gender === 'female' ? 'F' : gender === 'other' ? 'I' : '?';
}

export function sexName(gender: string | undefined): string {
  if (gender === 'male') return 'masculin';
  if (gender === 'female') return 'féminin';
  return gender === 'other' ? 'indéterminé' : 'sexe inconnu';
}

const roles: Readonly<Record<string, string>> = {
  radiologist: 'Radiologue',
  expert: 'Expert',
  requester: 'Médecin demandeur',
  technologist: 'Manipulateur',
  coordinator: 'Coordonnateur',
  quality: 'Qualité',
  'identity-vigilance': 'Identitovigilance',
  secretary: 'Secrétariat médical',
  switchboard: 'Standard téléphonique',
  support: 'Maintenance',
  pacs: 'PACS',
  auditor: 'Auditeur',
  administrator: 'Administrateur',
  ris: 'RIS',
  conformance: 'Conformité',
};

export function roleName(code: string): string {
  return roles[code] ?? code;
}

/** `née le`, `né le`; both where the sex is not told. @param gender FHIR `gender`, or the DICOM sex `F`, `M`. */
export function bornText(gender: string | undefined): string {
  if (gender === 'female' || gender === 'F') return 'née le';
  return gender === 'male' || gender === 'M' ? 'né le' : 'né(e) le';
}

const encounterClasses: Readonly<Record<string, string>> = {
  E: 'urgences',
  I: 'hospitalisé',
  O: 'externe',
  R: 'hospitalisation récurrente',
  N: 'sans objet',
};

export function encounterClassName(code: string | undefined): string | undefined {
  return code === undefined ? undefined : (encounterClasses[code] ?? code);
}

const attachmentBases: Readonly<Record<string, string>> = {
  'study-uid': 'par l’identifiant d’étude',
  'accession-number': 'par le numéro d’accession',
  'placer-number': 'par le numéro de demande',
  provisional: 'rattachement provisoire, à confirmer',
};

export function attachmentBasisName(code: string | undefined): string | undefined {
  return code === undefined ? undefined : (attachmentBases[code] ?? code);
}
