/** One reading of the input for everything made of it: lint, PDF and CDA see the same patient, people, acts and places. */
import type { Coding, ServiceRequest } from '@medplum/fhirtypes';
import type { CdaTables } from './cda/tables.ts';
import type { DocumentForm, ReportInput } from './contract.ts';
import { type PatientIdentity, patientIdentity } from './identity.ts';
import { type Professional, professional, type Structure, structure } from './people.ts';

export interface Act {
  code: string;
  display: string;
}

export interface ReportModel {
  input: ReportInput;
  form: DocumentForm;
  patient: PatientIdentity;
  radiologist: Professional;
  requester?: Professional;
  establishment: Structure;
  platform: Structure;
  /** Acts by terminology; CCAM are those the radiologist validated. */
  ccam: Act[];
  loinc: Act[];
  /** DICOM modality, `CT`, `MR` …. */
  modalities: string[];
  /** SNOMED CT codes of the ten national regions. */
  regions: string[];
  /** Side asked for by the request, else the one its images are labelled with. */
  laterality?: Laterality;
  lateralityFrom?: 'request' | 'images';
  /** Study Instance UID. */
  studyUid?: string;
  /** "Compte rendu d'imagerie médicale – Scanner du crâne". */
  title: string;
}

export type Laterality = 'right' | 'left' | 'bilateral';

/** The imaging report (RP-1). */
const imagingForm: DocumentForm = {
  type: { code: '18748-4', display: "CR d'imagerie médicale" },
  name: 'Compte rendu d’imagerie médicale',
  chapters: { indication: 'Indication', technique: 'Technique', results: 'Résultats', conclusion: 'Conclusion' },
};

const ccamSystems = new Set(['urn:oid:1.2.250.1.215.300.1', 'urn:oid:1.2.250.1.213.2.5']);
const loincSystems = new Set(['http://loinc.org', 'urn:oid:2.16.840.1.113883.6.1']);
const sides: Record<string, Laterality> = { '24028007': 'right', '7771000': 'left', '51440002': 'bilateral' };

export function reportModel(input: ReportInput, tables: CdaTables): ReportModel {
  const form = input.form ?? imagingForm;
  const ccam = input.acts.filter((act) => ccamSystems.has(act.system));
  const loinc = input.acts.filter((act) => loincSystems.has(act.system));
  const regions = codings(input.serviceRequest.bodySite)
    .map((coding) => coding.code ?? '')
    .filter((code) => code in tables.regions);
  return {
    input,
    patient: patientIdentity(input.patient),
    radiologist: professional(input.radiologist),
    requester: input.requester && professional(input.requester),
    establishment: structure(input.establishment),
    platform: structure(input.platform),
    ccam,
    loinc,
    modalities: modalities(input, tables),
    regions: [...new Set(regions)],
    ...sideOf(input),
    studyUid: studyUid(input),
    form,
    title: [form.name, actName(input)].filter((part) => part !== '').join(' – '),
  };
}

/** Name of the exam for people: the acts' own words, LOINC before CCAM, else what was asked for. */
function actName(input: ReportInput): string {
  const named = (systems: Set<string>) =>
    input.acts.filter((act) => systems.has(act.system) && act.display.trim() !== '').map((act) => act.display.trim());
  const loinc = named(loincSystems);
  const names = loinc.length > 0 ? loinc : named(ccamSystems);
  if (names.length > 0) return [...new Set(names)].join(' + ');
  const { code } = input.serviceRequest;
  return code?.text?.trim() || code?.coding?.find((coding) => coding.display)?.display?.trim() || '';
}

/** What was asked for comes first; images of both sides may compare them, and bind nobody. */
function sideOf({ serviceRequest, study }: ReportInput): Pick<ReportModel, 'laterality' | 'lateralityFrom'> {
  const asked = laterality(serviceRequest.bodySite);
  if (asked) return { laterality: asked, lateralityFrom: 'request' };
  const shown = laterality((study?.series ?? []).map((series) => series.laterality));
  return shown && shown !== 'bilateral' ? { laterality: shown, lateralityFrom: 'images' } : {};
}

/** A SNOMED CT laterality anywhere in these elements, qualifier extensions included. */
function laterality(elements: unknown): Laterality | undefined {
  const found = new Set<Laterality>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (value && typeof value === 'object') {
      const code = (value as Coding).code;
      if (typeof code === 'string' && Object.hasOwn(sides, code)) found.add(sides[code]!);
      Object.values(value).forEach(visit);
    }
  };
  visit(elements);
  if (found.has('bilateral') || found.size === 2) return 'bilateral';
  return [...found][0];
}

function modalities(input: ReportInput, tables: CdaTables): string[] {
  const study = [
    ...(input.study?.modality ?? []).map((coding) => coding.code),
    ...(input.study?.series ?? []).map((series) => series.modality?.code),
  ];
  const asked = codings([...(input.serviceRequest.orderDetail ?? []), ...(input.serviceRequest.category ?? [])]).map(
    (coding) => coding.code,
  );
  const known = (codes: (string | undefined)[]) =>
    codes.filter((code): code is string => code !== undefined && Object.hasOwn(tables.modalities, code));
  const acquired = known(study);
  return [...new Set(acquired.length > 0 ? acquired : known(asked))];
}

function studyUid(input: ReportInput): string | undefined {
  const identifier = input.study?.identifier?.find((each) => each.system === 'urn:dicom:uid');
  const uid = identifier?.value?.replace(/^urn:oid:/, '');
  return uid && /^[0-9]+(\.[0-9]+)+$/.test(uid) && uid.length <= 64 ? uid : undefined;
}

function codings(concepts: ServiceRequest['bodySite']): Coding[] {
  return (concepts ?? []).flatMap((concept) => concept.coding ?? []);
}
