/** FHIR R4 ImagingStudy: the projection of a stored study. What the domain added to the resource (subject, basedOn, status…) stays. */
import type { Coding, ImagingStudy, ImagingStudySeries } from '@medplum/fhirtypes';
import { type DicomJson, numberOf, textOf } from './dicom/json-model.ts';
import type { StatedIdentity } from './identity.ts';
import { fhirDateTime } from './paris-time.ts';

/** One series as the projection shows it. Its instances are at the DICOMweb endpoint: listing them here would rewrite thousands of lines at each arrival. */
export interface ProjectedSeries {
  uid: string;
  attributes: DicomJson;
  instances: number;
  /** Image Laterality (0020,0062), where all images of the series say the same. */
  imageSide?: string;
}

export interface ProjectedStudy {
  identity: StatedIdentity;
  attributes: DicomJson;
  series: readonly ProjectedSeries[];
  instances: number;
  /** Literal reference of the Endpoint. */
  endpoint: string;
  quarantine?: string;
  /** Lot of the study; other than 0 means "set apart". */
  lot: number;
}

const dicomUidSystem = 'urn:dicom:uid';
const setApartSystem = 'https://fhir.passerelle.example/sid/set-apart-study';
const modalitySystem = 'http://dicom.nema.org/resources/ontology/DCM';
const accessionType = { system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' };
/** FHIR wants a modality where DICOM gave none. */
const otherModality = 'OT';
/** FHIR R4 unsignedInt. */
const maximumUnsignedInt = 2_147_483_647;

/** As a FHIR code: no space but single ones between words. */
function modalityOf(series: DicomJson): string {
  return textOf(series, '00080060')?.replace(/\s+/g, ' ').trim() || otherModality;
}

/** The resource for a study, from its index and from what is stored of it already. */
export function projectedStudy(study: ProjectedStudy, known?: ImagingStudy): ImagingStudy {
  const { identity, attributes } = study;
  const started = fhirDateTime(
    textOf(attributes, '00080020'),
    textOf(attributes, '00080030'),
    textOf(attributes, '00080201'),
  );
  const modalities = [...new Set(study.series.map(({ attributes: of }) => modalityOf(of)))].sort();
  return {
    ...known,
    resourceType: 'ImagingStudy',
    identifier: mergedIdentifiers(ownIdentifiers(study), known?.identifier),
    status: known?.status ?? 'registered',
    subject: known?.subject ?? logicalSubject(identity),
    modality: modalities.map((code) => ({ system: modalitySystem, code })),
    ...(started ? { started } : {}),
    ...(identity.description && !known?.description ? { description: identity.description } : {}),
    endpoint: [{ reference: study.endpoint }],
    numberOfSeries: study.series.length,
    numberOfInstances: study.instances,
    series: study.series.map((series) => projectedSeries(series, textOf(attributes, '00080201'))),
    ...(study.lot > 0 && !known
      ? { note: [{ text: `Images mises à l'écart (${study.quarantine ?? 'identité contradictoire'})` }] }
      : {}),
  };
}

/** A study set apart must not be found by the Study Instance UID: that name belongs to the other patient's images. */
function ownIdentifiers({ identity, lot }: ProjectedStudy): NonNullable<ImagingStudy['identifier']> {
  const uid = `urn:oid:${identity.studyInstanceUid}`;
  const name = lot === 0 ? { system: dicomUidSystem, value: uid } : { system: setApartSystem, value: `${uid}#${lot}` };
  if (!identity.accessionNumber) return [name];
  const issuer = identity.accessionIssuer;
  const accession = {
    type: { coding: [accessionType] },
    value: identity.accessionNumber,
    ...(issuer && /^[0-9.]+$/.test(issuer) ? { system: `urn:oid:${issuer}` } : {}),
  };
  return [name, accession];
}

function mergedIdentifiers(
  own: NonNullable<ImagingStudy['identifier']>,
  known: ImagingStudy['identifier'] = [],
): NonNullable<ImagingStudy['identifier']> {
  const missing = own.filter(
    ({ system, value }) => !known.some((one) => one.value === value && (one.system === system || !system)),
  );
  return [...known, ...missing];
}

/** Until the domain knows the Patient: what the images say, as a logical reference. */
function logicalSubject(identity: StatedIdentity): ImagingStudy['subject'] {
  return {
    type: 'Patient',
    ...(identity.patientId
      ? {
          identifier: {
            value: identity.patientId,
            ...(identity.issuerOfPatientId ? { assigner: { display: identity.issuerOfPatientId } } : {}),
          },
        }
      : {}),
    display: identity.patientName?.replaceAll('^', ' ').trim() || 'Patient non identifié par les images',
  };
}

/** SNOMED CT for the sides of (0020,0060) and (0020,0062), PS3.3 C.7.3.1 and C.8.11.3. */
const lateralities: Readonly<Record<string, Coding>> = {
  R: { system: 'http://snomed.info/sct', code: '24028007', display: 'Right' },
  L: { system: 'http://snomed.info/sct', code: '7771000', display: 'Left' },
  B: { system: 'http://snomed.info/sct', code: '51440002', display: 'Right and left' },
};

function projectedSeries(
  { uid, attributes, instances, imageSide }: ProjectedSeries,
  offset: string | undefined,
): ImagingStudySeries {
  const number = numberOf(attributes, '00200011');
  const description = textOf(attributes, '0008103E');
  const laterality = lateralities[textOf(attributes, '00200060')?.trim() || imageSide?.trim() || ''];
  const bodyPart = textOf(attributes, '00180015')?.trim();
  const started = fhirDateTime(textOf(attributes, '00080021'), textOf(attributes, '00080031'), offset);
  return {
    uid,
    ...(number !== undefined && Number.isInteger(number) && number >= 0 && number <= maximumUnsignedInt
      ? { number }
      : {}),
    modality: { system: modalitySystem, code: modalityOf(attributes) },
    ...(description ? { description } : {}),
    ...(laterality ? { laterality } : {}),
    ...(bodyPart ? { bodySite: { display: bodyPart } } : {}),
    numberOfInstances: instances,
    ...(started ? { started } : {}),
  };
}
