/** When the care took place that a resource tells about: what `start` and `end` of `$everything` ask about. */
import type { Resource } from '@medplum/fhirtypes';
import { dateInterval, type Interval } from '../search/dates.ts';

/** Elements that date the care, of whatever type has them; when it was written down does not count while one of these is there. */
const careElements = [
  'period',
  'effectiveDateTime',
  'effectivePeriod',
  'effectiveInstant',
  'performedDateTime',
  'performedPeriod',
  'occurrenceDateTime',
  'occurrencePeriod',
  'onsetDateTime',
  'onsetPeriod',
  'servicedDate',
  'servicedPeriod',
  'billablePeriod',
  'executionPeriod',
  'whenHandedOver',
  'started',
  'start',
  'sent',
  'date',
  'created',
  'issued',
  'recordedDate',
  'authoredOn',
  'dateTime',
  'recorded',
];

/** The days asked for, as a half-open interval. */
export function careInterval(
  start: string | undefined,
  end: string | undefined,
): Interval | undefined | 'start' | 'end' {
  if (start === undefined && end === undefined) return undefined;
  const first = start === undefined ? undefined : dateInterval(start);
  const last = end === undefined ? undefined : dateInterval(end);
  if (start !== undefined && !first) return 'start';
  if (end !== undefined && !last) return 'end';
  return { lo: first?.lo ?? Number.NEGATIVE_INFINITY, hi: last?.hi ?? Number.POSITIVE_INFINITY };
}

/** False only for what is dated outside: a resource without a date of care stays. */
export function isWithin(resource: Resource, asked: Interval): boolean {
  const care = dateOf(resource);
  return care === undefined || (care.lo < asked.hi && care.hi > asked.lo);
}

function dateOf(resource: Resource): Interval | undefined {
  const elements = resource as unknown as Record<string, unknown>;
  for (const name of careElements) {
    const value = elements[name];
    if (typeof value === 'string') return dateInterval(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    const { start, end } = value as { start?: unknown; end?: unknown };
    if (typeof start !== 'string' && typeof end !== 'string') continue;
    return {
      lo: (typeof start === 'string' ? dateInterval(start)?.lo : undefined) ?? Number.NEGATIVE_INFINITY,
      hi: (typeof end === 'string' ? dateInterval(end)?.hi : undefined) ?? Number.POSITIVE_INFINITY,
    };
  }
  return undefined;
}
