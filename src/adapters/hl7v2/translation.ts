/** What every translator of one message shares, and the checks the tables ask for. */
import type { Message, Segment } from './message.ts';
import { Refusal } from './refusal.ts';
import type { Element, Flow, Site, Tables } from './tables.ts';
import { parseTimestamp, type Timestamp } from './timestamp.ts';

export interface Translation {
  message: Message;
  tables: Tables;
  site: Site;
  /** Deviations that were tolerated: French, without patient data; kept with the message. */
  warnings: string[];
  /** What was not taken and the sender is told of with the AA: French, without patient data. */
  notices: string[];
  /** A platform in production refuses identities of test and demonstration. */
  production: boolean;
}

/** One ORDER group: ORC and what follows it up to the next. */
export interface OrderGroup {
  segments: readonly Segment[];
  first(name: string): Segment | undefined;
}

/** ERR-2 of a field. */
export function location(segment: Segment, field: number): string {
  return `${segment.name}^${segment.ordinal}^${field}`;
}

/** The ORDER groups of a message, in order. */
export function orderGroups(message: Message): OrderGroup[] {
  const groups: Segment[][] = [];
  for (const segment of message.segments) {
    if (segment.name === 'ORC') groups.push([segment]);
    else groups.at(-1)?.push(segment);
  }
  return groups.map((segments) => ({ segments, first: (name) => segments.find((segment) => segment.name === name) }));
}

/**
 * Checks what the flow requires in the header part of the message and in each of its ORDER groups.
 * @throws Refusal naming the first absent element.
 */
export function checkRequired(translation: Translation, flow: Flow, groups: readonly OrderGroup[]): void {
  for (const element of flow.required) {
    const absent = findAbsent(translation, element, groups);
    if (!absent) continue;
    if (translation.site.notRequired.includes(element.path)) warn(translation, element);
    else throw refusalOf(absent, element, flow);
  }
  for (const element of flow.expected) if (findAbsent(translation, element, groups)) warn(translation, element);
}

/** A required leaf of a segment. @throws Refusal `field-missing`. */
export function required(segment: Segment, field: number, name: string, component = 1): string {
  const value = segment.value(field, component);
  if (value === undefined)
    throw new Refusal('field-missing', location(segment, field), { path: `${segment.name}-${field}`, name });
  return value;
}

/** A time, when the field holds one. @throws Refusal `bad-type` when it holds something else. */
export function timestampOf(
  translation: Translation,
  segment: Segment,
  field: number,
  name: string,
): Timestamp | undefined {
  const value = segment.value(field);
  if (value === undefined) return undefined;
  const time = parseTimestamp(value, translation.site.zone);
  if (time) return time;
  throw new Refusal('bad-type', location(segment, field), {
    path: `${segment.name}-${field}`,
    name,
    expected: 'date attendue sous la forme AAAAMMJJHHMMSS+ZZZZ',
  });
}

const orderSegments = new Set(['ORC', 'OBR', 'OBX', 'TQ1', 'IPC', 'NTE']);

interface Absence {
  /** Missing segment, else missing field of the segment. */
  segment: Segment | undefined;
}

function findAbsent({ message }: Translation, element: Element, groups: readonly OrderGroup[]): Absence | undefined {
  const [name = '', field] = element.path.split('-');
  const inOrders = orderSegments.has(name);
  const places = inOrders && groups.length > 0 ? groups.map((group) => group.first(name)) : [message.first(name)];
  for (const segment of places) {
    if (!segment) return { segment: undefined };
    if (field !== undefined && segment.repetitions(Number(field)) === 0) return { segment };
    if (field !== undefined && segment.text(Number(field)) === undefined) return { segment };
  }
  return undefined;
}

function refusalOf(absence: Absence, element: Element, flow: Flow): Refusal {
  const [name = '', field = ''] = element.path.split('-');
  if (absence.segment === undefined) {
    return new Refusal('segment-missing', `${name}^1`, { path: name, name: element.name, flow: flow.name });
  }
  return new Refusal('field-missing', location(absence.segment, Number(field)), {
    path: element.path,
    name: element.name,
  });
}

function warn(translation: Translation, element: Element): void {
  translation.warnings.push(`${element.path} absent (${element.name})`);
}
