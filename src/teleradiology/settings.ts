/** Contract terms of one establishment: extension `establishment-settings` of its Organization, with defaults. */
import type { Extension, Organization } from '@medplum/fhirtypes';
import { Temporal } from 'temporal-polyfill';
import { type HolidayCalendar, isHolidayCalendar } from './clock/holidays.ts';
import { structureDefinition } from './codes.ts';
import { defaultRequiredItems, isRequestItem, type RequestItem } from './request/required-items.ts';

/** Delays of the reading for establishments whose contract is not written clause by clause (contract-terms). */
export interface DelayTerms {
  /** IANA name, e.g. `Europe/Paris`. */
  timeZone: string;
  urgentMinutes: number;
  inpatientMinutes: number;
  /** Local time of the morning deadline, `HH:MM`. */
  routineTime: string;
  /** A deadline that falls on a public holiday moves to the next day that is none. */
  routineSkipsHolidays: boolean;
  /** Local time at which the contract's day begins, `HH:MM`; earlier transmissions count for the day before. */
  dutyDayStart: string;
  holidays: HolidayCalendar;
}

export interface EstablishmentSettings {
  delays: DelayTerms;
  /** The RIS sends flow 4 for every exam: without it images are not complete. */
  flow4Expected: boolean;
  /** A radiologist protocols before the images; false needs a contract clause. */
  protocolRequired: boolean;
  /** The order attests that the patient was informed and agreed. */
  consentByOrder: boolean;
  /** Time without a new instance after which images count as quiet. */
  quietSeconds: number;
  /** Time after which images without a case are brought to the coordinator. */
  unattachedMinutes: number;
  /** Time after the protocol after which a case without images expires. */
  expiryDays: number;
  /** Minutes after which a case that waits is brought to the coordinators: for identity vigilance … */
  identityMinutes: number;
  /** … for the requester's complement … */
  informationMinutes: number;
  /** … for a radiologist's protocol … */
  protocolMinutes: number;
  /** … for the images of an urgent exam, or the rest of any exam that began to arrive. */
  imagesMinutes: number;
  /** Minutes after which quality is reminded of a declared error that nobody confirmed or withdrew. */
  errorMinutes: number;
  /** Minutes after which an answer or report without acknowledgement is brought to the coordinators. */
  deliveryMinutes: number;
  reportFormat: 'report-mdm' | 'report-oru';
  /** How a report that was an error is withdrawn: the document deleted (French volume of CDA transmission), or its result posted as wrong (HL7 table 0085, W). */
  withdrawalFormat: 'deletion' | 'wrong-result';
  /** How long each recipient of a critical result has to say it back before the next is told, by its category (WF-9). */
  criticalMinutes: number;
  criticalHours: number;
  criticalDays: number;
  /** Told after who asked for the exam, in this order: ward, physician on call, coordinator of the site. Literal references. */
  criticalRecipients: readonly string[];
  /** Told when telephoning did not help either. */
  criticalSupervisor?: string;
  /** What a request must carry (IN-6), codes of `request-item`. */
  requiredItems: readonly RequestItem[];
  /** Switched on (IN-9); `liveFrom` and `liveUntil` bound it. */
  live: boolean;
  liveFrom?: Date;
  liveUntil?: Date;
  /** A reader without qualifications on file may neither be planned nor read here; an expired one never may (CM-4). */
  credentialsRequired: boolean;
  /** Only the readers on the rota read here, unless they say why they take over. */
  dutyRequired: boolean;
  /** Minutes an AI priority of 100 raises a case that is not urgent, 0 to 120; 0 switches it off (WF-11). */
  aiPriorityMinutes: number;
  /** Organization of the platform's coordinators, e.g. `Organization/…`. */
  platform?: string;
}

const defaultDelays: DelayTerms = {
  timeZone: 'Europe/Paris',
  urgentMinutes: 60,
  inpatientMinutes: 60,
  routineTime: '08:00',
  routineSkipsHolidays: false,
  dutyDayStart: '00:00',
  holidays: 'france',
};

export const defaultSettings: EstablishmentSettings = {
  delays: defaultDelays,
  flow4Expected: true,
  protocolRequired: true,
  consentByOrder: true,
  quietSeconds: 5,
  unattachedMinutes: 10,
  expiryDays: 30,
  identityMinutes: 30,
  informationMinutes: 60,
  protocolMinutes: 30,
  imagesMinutes: 120,
  errorMinutes: 30,
  deliveryMinutes: 15,
  reportFormat: 'report-mdm',
  withdrawalFormat: 'deletion',
  criticalMinutes: 15,
  criticalHours: 6,
  criticalDays: 3,
  criticalRecipients: [],
  requiredItems: defaultRequiredItems,
  live: true,
  credentialsRequired: false,
  dutyRequired: false,
  aiPriorityMinutes: 60,
};

const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d/;

const wholeDay = /^\d{4}-\d{2}-\d{2}$/;

/** Start of a day where the establishment is; undefined for a day that does not exist. */
function midnight(day: string, timeZone: string): Date | undefined {
  try {
    return new Date(Temporal.PlainDate.from(day).toZonedDateTime(timeZone).epochMilliseconds);
  } catch {
    return undefined;
  }
}

/** Reads the settings; what is absent, or makes no sense, has its default. */
export function establishmentSettings(organization: Organization | undefined): EstablishmentSettings {
  const parts = organization?.extension?.find((extension) => extension.url === structureDefinition.settings)?.extension;
  if (parts === undefined) return defaultSettings;
  const find = (url: string): Extension | undefined => parts.find((part) => part.url === url);
  const flag = (url: string, otherwise: boolean): boolean => find(url)?.valueBoolean ?? otherwise;
  const count = (url: string, otherwise: number): number => {
    const value = find(url)?.valueInteger ?? find(url)?.valuePositiveInt ?? find(url)?.valueUnsignedInt;
    return value !== undefined && value > 0 ? value : otherwise;
  };
  const time = (url: string, otherwise: string): string => {
    const value = find(url)?.valueTime ?? find(url)?.valueString;
    return value !== undefined && timeOfDay.test(value) ? value.slice(0, 5) : otherwise;
  };
  const zone = find('timeZone')?.valueCode ?? find('timeZone')?.valueString;
  const timeZone = zone !== undefined && isTimeZone(zone) ? zone : defaultDelays.timeZone;
  const date = (url: string): Date | undefined => {
    const value = find(url)?.valueDateTime ?? find(url)?.valueInstant ?? find(url)?.valueDate;
    // A day begins at the establishment's midnight: the night it opens is not refused until the morning of Greenwich.
    const parsed = value !== undefined && wholeDay.test(value) ? midnight(value, timeZone) : new Date(value ?? '');
    return parsed === undefined || Number.isNaN(parsed.getTime()) ? undefined : parsed;
  };
  const calendar = find('holidays')?.valueCode;
  const format = find('reportFormat')?.valueCode ?? find('reportFormat')?.valueString;
  return {
    delays: {
      timeZone,
      urgentMinutes: count('urgentMinutes', defaultDelays.urgentMinutes),
      inpatientMinutes: count('inpatientMinutes', defaultDelays.inpatientMinutes),
      routineTime: time('routineTime', defaultDelays.routineTime),
      routineSkipsHolidays: flag('routineSkipsHolidays', defaultDelays.routineSkipsHolidays),
      dutyDayStart: time('dutyDayStart', defaultDelays.dutyDayStart),
      holidays: isHolidayCalendar(calendar) ? calendar : defaultDelays.holidays,
    },
    flow4Expected: flag('flow4Expected', defaultSettings.flow4Expected),
    protocolRequired: flag('protocolRequired', defaultSettings.protocolRequired),
    consentByOrder: flag('consentByOrder', defaultSettings.consentByOrder),
    quietSeconds: count('quietSeconds', defaultSettings.quietSeconds),
    unattachedMinutes: count('unattachedMinutes', defaultSettings.unattachedMinutes),
    expiryDays: count('expiryDays', defaultSettings.expiryDays),
    identityMinutes: count('identityMinutes', defaultSettings.identityMinutes),
    informationMinutes: count('informationMinutes', defaultSettings.informationMinutes),
    protocolMinutes: count('protocolMinutes', defaultSettings.protocolMinutes),
    imagesMinutes: count('imagesMinutes', defaultSettings.imagesMinutes),
    errorMinutes: count('errorMinutes', defaultSettings.errorMinutes),
    deliveryMinutes: count('deliveryMinutes', defaultSettings.deliveryMinutes),
    criticalMinutes: count('criticalMinutes', defaultSettings.criticalMinutes),
    criticalHours: count('criticalHours', defaultSettings.criticalHours),
    criticalDays: count('criticalDays', defaultSettings.criticalDays),
    criticalRecipients: parts
      .filter(({ url }) => url === 'criticalRecipient')
      .flatMap(({ valueReference }) => valueReference?.reference ?? []),
    criticalSupervisor: find('criticalSupervisor')?.valueReference?.reference,
    reportFormat: format === 'report-oru' || format === 'oru' ? 'report-oru' : 'report-mdm',
    withdrawalFormat: find('withdrawalFormat')?.valueCode === 'wrong-result' ? 'wrong-result' : 'deletion',
    requiredItems:
      find('requiredItems')?.valueString?.split(/\s+/).filter(isRequestItem) ?? defaultSettings.requiredItems,
    live: flag('live', defaultSettings.live),
    liveFrom: date('liveFrom'),
    liveUntil: date('liveUntil'),
    credentialsRequired: flag('credentialsRequired', defaultSettings.credentialsRequired),
    dutyRequired: flag('dutyRequired', defaultSettings.dutyRequired),
    aiPriorityMinutes: Math.min(120, Math.max(0, find('aiPriorityMinutes')?.valueInteger ?? 60)),
    platform: find('platform')?.valueReference?.reference,
  };
}

/** Whether the service is open for this establishment at this instant. */
export function isLive(settings: EstablishmentSettings, now: Date): boolean {
  if (!settings.live) return false;
  if (settings.liveFrom !== undefined && now < settings.liveFrom) return false;
  return settings.liveUntil === undefined || now < settings.liveUntil;
}

/** Asking Intl by constructing a formatter costs 0.4 ms, at every request of a RIS; its own list is asked once. */
const timeZones: ReadonlySet<string> = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC']);

function isTimeZone(name: string): boolean {
  return timeZones.has(name);
}
