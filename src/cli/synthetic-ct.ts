/**
 * A CT series of the head of nobody: valid DICOM Part 10 instances (CT Image Storage, explicit little endian) of a computed
 * phantom with a fresh bleed, for the demonstration, the tests and the measurements. The same parameters give the same bytes.
 */
import { createHash } from 'node:crypto';
import { type DicomElement, dicomFile } from './synthetic/dicom-file.ts';
import { headSlice } from './synthetic/head-phantom.ts';

/** What the series says of itself. */
export interface SyntheticCtOptions {
  studyUid: string;
  /** (0010,0020) */
  patientId: string;
  /** (0010,0010), e.g. `TEST-MOREAU^CAMILLE`. */
  patientName: string;
  /** YYYYMMDD */
  birthDate?: string;
  /** `F`, `M` or `O`. */
  sex?: string;
  issuerOfPatientId?: string;
  accessionNumber?: string;
  /** (0040,2016) */
  placerOrderNumber?: string;
  /** Instant of the exam. */
  studyDate: Date;
  studyDescription?: string;
  seriesDescription?: string;
  /** Default 1; series of one study differ by it. */
  seriesNumber?: number;
  /** Default: computed from the study, the series number and the seed. */
  seriesUid?: string;
  /** Default 40. */
  slices?: number;
  /** Rows and columns, default 512. */
  size?: number;
  /** Default 1; changes the noise, the folds of the brain and the UIDs. */
  seed?: number;
}

const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
/** Field of view, mm. */
const fieldOfView = 240;
/** The scanned range along the body axis, mm. */
const range = 150;
const rescaleIntercept = -1024;
const ctdiVolMGy = 47.3;

/** The instances one after the other, lowest slice first; only one is in memory at a time. */
export function* syntheticCt(options: SyntheticCtOptions): Generator<Buffer> {
  const slices = options.slices ?? 40;
  const size = options.size ?? 512;
  const seed = options.seed ?? 1;
  const seriesNumber = options.seriesNumber ?? 1;
  const seriesUid = options.seriesUid ?? derivedUid(options.studyUid, seriesNumber, seed);
  const spacing = range / slices;
  for (let index = 0; index < slices; index++) {
    const position = -range / 2 + 15 + (index + 0.5) * spacing;
    const stored = headSlice({ size, pixelMm: fieldOfView / size, position, seed, slice: index });
    for (let at = 0; at < stored.length; at++) stored[at] = (stored[at] ?? 0) - rescaleIntercept;
    const sopUid = derivedUid(seriesUid, index + 1, seed);
    const elements = header(options, { size, seriesUid, seriesNumber, sopUid, index, position, spacing });
    yield dicomFile(ctImageStorage, sopUid, elements, Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength));
  }
}

interface SliceFacts {
  size: number;
  seriesUid: string;
  seriesNumber: number;
  sopUid: string;
  index: number;
  position: number;
  spacing: number;
}

function header(options: SyntheticCtOptions, slice: SliceFacts): DicomElement[] {
  const { date, time, offset } = parisTime(options.studyDate);
  const pixel = (fieldOfView / slice.size).toFixed(6);
  const edge = (-fieldOfView / 2).toFixed(3);
  return [
    [0x00080005, 'CS', 'ISO_IR 192'],
    [0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'],
    [0x00080016, 'UI', ctImageStorage],
    [0x00080018, 'UI', slice.sopUid],
    [0x00080020, 'DA', date],
    [0x00080021, 'DA', date],
    [0x00080022, 'DA', date],
    [0x00080023, 'DA', date],
    [0x00080030, 'TM', time],
    [0x00080031, 'TM', time],
    [0x00080032, 'TM', time],
    [0x00080033, 'TM', time],
    [0x00080050, 'SH', options.accessionNumber ?? ''],
    [0x00080060, 'CS', 'CT'],
    [0x00080070, 'LO', 'PASSERELLE'],
    [0x00080080, 'LO', 'CH-EXEMPLE'],
    [0x00080090, 'PN', ''],
    [0x00080201, 'SH', offset],
    [0x00081010, 'SH', 'SCANNER-EXEMPLE'],
    [0x00081030, 'LO', options.studyDescription ?? 'SCANNER CEREBRAL'],
    [0x0008103e, 'LO', options.seriesDescription ?? 'CEREBRAL SANS INJECTION'],
    [0x00081090, 'LO', 'FANTOME CALCULE'],
    [0x00100010, 'PN', options.patientName],
    [0x00100020, 'LO', options.patientId],
    ...optional(0x00100021, 'LO', options.issuerOfPatientId),
    [0x00100030, 'DA', options.birthDate ?? ''],
    [0x00100040, 'CS', options.sex ?? ''],
    [0x00180015, 'CS', 'HEAD'],
    [0x00180022, 'CS', 'AXIAL MODE'],
    [0x00180050, 'DS', slice.spacing.toFixed(3)],
    [0x00180060, 'DS', '120'],
    [0x00180090, 'DS', '250'],
    [0x00181030, 'LO', 'CRANE SANS INJECTION'],
    [0x00181100, 'DS', String(fieldOfView)],
    [0x00181150, 'IS', '1000'],
    [0x00181151, 'IS', '250'],
    [0x00181152, 'IS', '250'],
    [0x00181210, 'SH', 'CERVEAU'],
    [0x00185100, 'CS', 'HFS'],
    [0x00189345, 'FD', ctdiVolMGy],
    [0x0020000d, 'UI', options.studyUid],
    [0x0020000e, 'UI', slice.seriesUid],
    [0x00200010, 'SH', options.accessionNumber?.slice(0, 16) ?? '1'],
    [0x00200011, 'IS', String(slice.seriesNumber)],
    [0x00200012, 'IS', '1'],
    [0x00200013, 'IS', String(slice.index + 1)],
    [0x00200032, 'DS', `${edge}\\${edge}\\${slice.position.toFixed(3)}`],
    [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
    [0x00200052, 'UI', derivedUid(options.studyUid, 0, 0)],
    [0x00201040, 'LO', ''],
    [0x00201041, 'DS', slice.position.toFixed(3)],
    [0x00280002, 'US', 1],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', slice.size],
    [0x00280011, 'US', slice.size],
    [0x00280030, 'DS', `${pixel}\\${pixel}`],
    [0x00280100, 'US', 16],
    [0x00280101, 'US', 12],
    [0x00280102, 'US', 11],
    [0x00280103, 'US', 0],
    [0x00281050, 'DS', '40'],
    [0x00281051, 'DS', '80'],
    [0x00281052, 'DS', String(rescaleIntercept)],
    [0x00281053, 'DS', '1'],
    [0x00281054, 'LO', 'HU'],
    ...optional(0x00402016, 'LO', options.placerOrderNumber),
  ];
}

function optional(tag: number, vr: 'LO', value: string | undefined): DicomElement[] {
  return value === undefined ? [] : [[tag, vr, value]];
}

/** A UID that depends on its arguments alone, under 2.25 (PS3.5 §B.2). */
function derivedUid(...parts: readonly (string | number)[]): string {
  const digest = createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 32);
  return `2.25.${BigInt(`0x${digest}`)}`;
}

/** The wall clock of the scanner room. */
function parisTime(instant: Date): { date: string; time: string; offset: string } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/Paris',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  const offset = /GMT([+-]\d{2}):(\d{2})/.exec(part('timeZoneName'));
  return {
    date: `${part('year')}${part('month')}${part('day')}`,
    time: `${part('hour')}${part('minute')}${part('second')}`,
    offset: offset ? `${offset[1]}${offset[2]}` : '+0000',
  };
}
