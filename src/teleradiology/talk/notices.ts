/**
 * The notices people get by e-mail (issue 5, section 8): what each one may say. An e-mail travels unsealed and stays in mailboxes, so a
 * notice has no free text: only instants, days, months, numbers, and the names of professionals and structures.
 */

/** `party` is a literal reference to a Practitioner, PractitionerRole or Organization, told by its name. */
export type FactKind = 'instant' | 'day' | 'month' | 'number' | 'party';

export interface NoticeDefinition {
  /** About a case: its number and a link to it are told. */
  ofCase: boolean;
  facts: Readonly<Record<string, FactKind>>;
  /** Hours after which it would mislead whoever reads it: it is then set aside, not sent. */
  usefulHours: number;
}

const day = 24;
const week = 7 * day;

export const notices = {
  /** Part of a delay is over. */
  'deadline-reminder': { ofCase: true, facts: { percent: 'number', due: 'instant' }, usefulHours: 12 },
  /** A delay is over. */
  'deadline-passed': { ofCase: true, facts: { due: 'instant' }, usefulHours: day },
  /** Who was reminded did not act: the next level is told. */
  escalation: { ofCase: true, facts: { since: 'instant' }, usefulHours: day },
  /** A case waits for what its recipient has to do (protocol, images, identity, complement). */
  waiting: { ofCase: true, facts: { since: 'instant' }, usefulHours: day },
  /** A critical result waits for its acknowledgement. */
  'critical-result': { ofCase: true, facts: { declared: 'instant' }, usefulHours: day },
  /** Nobody acknowledged a critical result: somebody has to telephone. */
  'critical-result-unanswered': { ofCase: true, facts: { declared: 'instant' }, usefulHours: day },
  /** A question about a request was asked. */
  question: { ofCase: true, facts: {}, usefulHours: 2 * day },
  /** The answer to a question came. */
  answer: { ofCase: true, facts: {}, usefulHours: 2 * day },
  /** A case was given to its recipient to read, to read a second time, or to complete. */
  assigned: { ofCase: true, facts: {}, usefulHours: day },
  /** The establishment does not acknowledge an answer or a report. */
  'delivery-late': { ofCase: true, facts: {}, usefulHours: day },
  /** Something happened to a case that people must look at. */
  incident: { ofCase: true, facts: {}, usefulHours: 2 * day },
  /** The rota of a month is out. */
  'rota-published': { ofCase: false, facts: { establishment: 'party', month: 'month' }, usefulHours: week },
  /** A published rota changed on a day. */
  'rota-changed': { ofCase: false, facts: { establishment: 'party', day: 'day' }, usefulHours: 2 * day },
  /** The rota of a month is not out in time. */
  'rota-late': { ofCase: false, facts: { establishment: 'party', month: 'month' }, usefulHours: 2 * day },
  /** Somebody asks to be relieved of a shift. */
  'rota-swap': {
    ofCase: false,
    facts: { professional: 'party', establishment: 'party', day: 'day' },
    usefulHours: 2 * day,
  },
  /** Diploma, certificate, insurance or registration that ends soon. */
  'credential-expiring': { ofCase: false, facts: { professional: 'party', end: 'day' }, usefulHours: week },
  /** One that has ended: its holder cannot be planned, nor read. */
  'credential-expired': { ofCase: false, facts: { professional: 'party', end: 'day' }, usefulHours: week },
  /** An establishment excluded a radiologist, with immediate effect. */
  exclusion: { ofCase: false, facts: { professional: 'party', establishment: 'party' }, usefulHours: week },
} as const satisfies Record<string, NoticeDefinition>;

export type NoticeTemplate = keyof typeof notices;

/** `day` is `YYYY-MM-DD`, `month` is `YYYY-MM`. */
interface FactValues {
  instant: Date;
  day: string;
  month: string;
  number: number;
  party: string;
}

type FactsOf<T extends NoticeTemplate> = {
  [Name in keyof (typeof notices)[T]['facts']]: (typeof notices)[T]['facts'][Name] extends FactKind
    ? FactValues[(typeof notices)[T]['facts'][Name]]
    : never;
};

/** One notice to several people; `about` is the literal reference of the case, `Task/…`. */
export type Notice = {
  [T in NoticeTemplate]: {
    template: T;
    to: readonly { reference?: string }[];
    values: FactsOf<T>;
  } & ((typeof notices)[T]['ofCase'] extends true ? { about: string } : { about?: undefined });
}[NoticeTemplate];

const shapes: Record<FactKind, (value: unknown) => boolean> = {
  instant: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  day: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value),
  month: (value) => typeof value === 'string' && /^\d{4}-\d\d$/.test(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  party: (value) =>
    typeof value === 'string' && /^(Practitioner|PractitionerRole|Organization)\/[A-Za-z0-9.-]{1,64}$/.test(value),
};

/**
 * The facts as they are stored: instants as ISO texts.
 * @throws Error when one is of another shape than the catalogue says: the fault of the program, and free text must never get further.
 */
export function storedFacts(template: NoticeTemplate, values: Readonly<Record<string, unknown>>): StoredFacts {
  const { facts }: NoticeDefinition = notices[template];
  const stored: Record<string, string | number> = {};
  for (const [name, kind] of Object.entries(facts)) {
    const value = values[name];
    if (!shapes[kind](value)) throw new Error(`the notice ${template} has no valid ${name}`);
    stored[name] = value instanceof Date ? value.toISOString() : (value as string | number);
  }
  return stored;
}

export type StoredFacts = Readonly<Record<string, string | number>>;
