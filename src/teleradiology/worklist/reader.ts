/** Who looks at the worklist, as far as it changes their order: roles, sub-specialties, languages, duty, exclusions, cases in hand. */
import type { PractitionerRole } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { kinds } from '../kinds/index.ts';
import { readerStanding } from '../people/reader-standing.ts';
import { idOf } from '../shell/case-task.ts';
import { loadMinutes, type Reader } from './personal.ts';
import type { SubSpecialties } from './sub-specialty.ts';

const readingRoles: ReadonlySet<string> = new Set(kinds.flatMap(({ readers }) => readers));

interface ThereRow {
  establishment_id: string;
  /** `excluded`, or `duty` of a reader. */
  what: 'excluded' | 'duty';
  practitioner_id: string;
  in_hand: number;
}

/** Exclusions of a reader, and who is on duty now with how many cases in hand: a few rows, however many cases there are. */
const thereStatement = `
  SELECT establishment_id, 'excluded' AS what, practitioner_id, 0 AS in_hand FROM reader_exclusion
  WHERE tenant = $1 AND practitioner_id = $2 AND since <= $3
  UNION ALL
  SELECT d.establishment_id, 'duty', d.practitioner_id,
    (SELECT count(*)::integer FROM worklist w
     WHERE w.tenant = $1 AND w.holder = 'Practitioner/' || d.practitioner_id AND w.holder <> '' AND w.pool LIKE 'in-hand|%')
  FROM duty_shift d
  WHERE d.tenant = $1 AND d.kind = 'radiologist' AND d.published AND d.starts_at <= $3 AND d.ends_at > $3`;

/** @param load the load term as an earlier page had it: rows must not change places between pages. */
export async function readerOf(
  tx: FhirTransaction,
  subSpecialties: SubSpecialties,
  now: Date,
  load?: ReadonlyMap<string, number>,
): Promise<Reader> {
  const { actor, tenant } = tx.context;
  const id = idOf(actor, 'Practitioner');
  const read = kinds.filter(({ readers }) => readers.some((role) => actor.roles.includes(role)));
  if (id === undefined || read.length === 0) return { ...nobody, reference: actor.reference };
  const whole = tx.whole;
  const roles = (await whole.search('PractitionerRole', `practitioner=${actor.reference}&active=true`)).filter((role) =>
    isCurrent(role, now),
  );
  const practitioner = await whole.find('Practitioner', id);
  const { rows } = await tx.sql.query<ThereRow>({
    name: 'worklist-reader',
    text: thereStatement,
    values: [tenant, id, now],
  });
  const { credentials } = await readerStanding(tx, actor.reference, undefined, now);
  const onDuty = Map.groupBy(
    rows.filter(({ what }) => what === 'duty'),
    (row) => row.establishment_id,
  );
  return {
    reference: actor.reference,
    reads: true,
    readsOnly: actor.roles.every((role) => readingRoles.has(role)),
    kinds: new Set(read.map(({ code }) => code)),
    specialties: new Set(subSpecialties.declared(roles)),
    languages: new Set(
      (practitioner?.communication ?? []).flatMap(({ coding }) => coding?.[0]?.code?.toLowerCase().split('-')[0] ?? []),
    ),
    sites: new Set(roles.flatMap(({ organization }) => idOf(organization, 'Organization') ?? [])),
    onDuty: new Set(
      [...onDuty].filter(([, there]) => there.some((row) => row.practitioner_id === id)).map(([at]) => at),
    ),
    excluded: new Set(rows.filter(({ what }) => what === 'excluded').map((row) => row.establishment_id)),
    expired: credentials === 'expired',
    load: load ?? loadsOf(onDuty, id),
  };
}

/** Where the reader is on duty with others: minutes of the load term. */
function loadsOf(onDuty: ReadonlyMap<string, readonly ThereRow[]>, id: string): Map<string, number> {
  const loads = new Map<string, number>();
  for (const [establishment, there] of onDuty) {
    const mine = there.find((row) => row.practitioner_id === id);
    if (mine === undefined) continue;
    const others = new Map(there.filter((row) => row !== mine).map((row) => [row.practitioner_id, row.in_hand]));
    others.delete(id);
    const minutes = loadMinutes(mine.in_hand, [...others.values()]);
    if (minutes !== 0) loads.set(establishment, minutes);
  }
  return loads;
}

function isCurrent({ period }: PractitionerRole, now: Date): boolean {
  const start = period?.start === undefined ? -Infinity : Date.parse(period.start);
  const end = period?.end === undefined ? Infinity : Date.parse(period.end);
  return start <= now.getTime() && now.getTime() <= end;
}

const nobody: Omit<Reader, 'reference'> = {
  reads: false,
  readsOnly: false,
  kinds: new Set(),
  specialties: new Set(),
  languages: new Set(),
  sites: new Set(),
  onDuty: new Set(),
  excluded: new Set(),
  expired: false,
  load: new Map(),
};
