/**
 * $everything of a patient, of all patients, of an encounter (https://hl7.org/fhir/R4/operation-patient-everything.html,
 * https://hl7.org/fhir/R4/operation-encounter-everything.html): the compartment, and what its resources point to. One Bundle without
 * `_count`; pages with `next` links with it, and always for all patients.
 */
import type { Bundle, BundleEntry, ResourceType } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationAnswer, type OperationCall } from '../contract.ts';
import type { RestTransaction, StoredVersion } from '../store/contract.ts';
import { isId } from '../validation/index.ts';
import { careInterval, isWithin } from './care-dates.ts';
import { compartmentWalk, cursorOf, goingOn, type Place, type Walk } from './compartment-walk.ts';
import { type CompartmentName, compartmentTypes } from './compartments.ts';
import { countOnce, refusal, refuseOthers, textOnce, typesOf } from './input.ts';
import { parsed, readsOf, type Sight, sight, storedOrGone } from './reads.ts';
import { createTargets, supportOf, type Targets } from './support.ts';
import { typesInUse } from './types-in-use.ts';

/** Members on one page at most, on a page of all patients when no `_count` is given, and in a Bundle without pages. */
const pageLimit = 1_000;
const allPatientsPage = 200;
const wholeLimit = 10_000;
/** Resources looked at for one page, and searches made for it: what few members are found among is told page by page. */
const lookedAtMost = 5_000;
const searchesAtMost = 1_000;

export const everythingOperations: readonly Operation[] = [
  everything('Patient', 'instance'),
  everything('Patient', 'type'),
  everything('Encounter', 'instance'),
];

function everything(name: CompartmentName, level: 'instance' | 'type'): Operation {
  return {
    name: 'everything',
    type: name,
    level,
    affectsState: false,
    definition: `http://hl7.org/fhir/OperationDefinition/${name}-everything`,
    run: (call) => answer(call, name, level),
  };
}

/** Where the next page begins: in the compartment of `id`, before its own resource when `place` is absent. */
interface Cursor {
  id?: string;
  place?: Place;
  /** Cursor of the patients after this one; empty after the last. */
  owners?: string;
}

interface Request {
  name: CompartmentName;
  base: string;
  reads: RestTransaction;
  sees: Sight;
  walk: Walk;
  /** Nothing is asked for but members: what they point to is not looked for. */
  isOwn: boolean;
  types?: ResourceType[];
  since?: Date;
  within?: { lo: number; hi: number };
}

async function answer(
  call: OperationCall,
  name: CompartmentName,
  level: 'instance' | 'type',
): Promise<OperationAnswer> {
  const request = await requestOf(call, name);
  const asked = countOnce(call.parameters, '_count', pageLimit);
  const count = asked ?? (level === 'type' ? allPatientsPage : undefined);
  const page: Page = { members: [], support: createTargets(request.base), searches: 0 };
  const started = startOf(textOnce(call.parameters, '_cursor'), call.id) ?? { ...(call.id ? { id: call.id } : {}) };
  const next = await fill(request, level, started, page, count);
  const supporting = request.isOwn ? [] : await supportOf(request, page.support, wholeLimit);
  const shownSupport = supporting.filter((version) => isWanted(request, version));
  return bundleAnswer(call, request, page.members, shownSupport, next);
}

async function requestOf(call: OperationCall, name: CompartmentName): Promise<Request> {
  const { parameters, base } = call;
  const dated = name === 'Patient' ? ['start', 'end'] : [];
  refuseOthers(parameters, [...dated, '_since', '_type', '_count', '_cursor']);
  const types = typesOf(parameters, '_type');
  // Asked for by name: refused by name.
  for (const type of types ?? []) call.authorize({ interaction: 'search-type', type });
  const within = careInterval(textOnce(parameters, 'start'), textOnce(parameters, 'end'));
  if (within === 'start' || within === 'end') throw refusal(`${within} is a date`, within);
  const since = instantOf(textOnce(parameters, '_since'));
  // What members point to is known from the members, also from those that are not asked for.
  const isOwn = types?.every((type) => type === name || compartmentTypes(name).includes(type)) ?? false;
  const sees = sight(call);
  const inUse = new Set(await typesInUse(call.tx.sql, call.tx.context.tenant));
  return {
    name,
    base,
    reads: readsOf(call),
    sees,
    isOwn,
    walk: compartmentWalk(name, isOwn ? types : undefined, (type) => inUse.has(type) && sees.may(type)),
    ...(types ? { types } : {}),
    ...(since ? { since } : {}),
    ...(within ? { within } : {}),
  };
}

function instantOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = new Date(text.replace(' ', '+'));
  if (!/^\d{4}-\d{2}-\d{2}(T|$)/.test(text) || Number.isNaN(date.getTime()))
    throw refusal('_since is an instant', '_since');
  return date;
}

/** What one answer gathers: members to show, and what everything looked at points to, which is to be shown too. */
interface Page {
  members: StoredVersion[];
  support: Targets;
  searches: number;
}

/** Fills a page from `cursor` on. @returns where the next one begins, undefined at the end. */
async function fill(
  request: Request,
  level: 'instance' | 'type',
  cursor: Cursor,
  page: Page,
  count: number | undefined,
): Promise<Cursor | undefined> {
  let at: Cursor | undefined = cursor.id === undefined ? await ownerAfter(request, undefined) : cursor;
  while (at?.id !== undefined) {
    if (count !== undefined && isFull(page, count)) return at;
    if (page.members.length > wholeLimit) {
      throw new FhirError(403, 'too-costly', `More than ${wholeLimit} resources: ask for pages with _count`);
    }
    at = await advance(
      request,
      level,
      { ...at, id: at.id },
      page,
      count === undefined ? pageLimit : count - page.members.length,
    );
  }
  return undefined;
}

function isFull({ members, support, searches }: Page, count: number): boolean {
  return members.length >= count || support.size() >= lookedAtMost || searches >= searchesAtMost;
}

/** One search further. */
async function advance(
  request: Request,
  level: 'instance' | 'type',
  at: Cursor & { id: string },
  page: Page,
  room: number,
): Promise<Cursor | undefined> {
  const { reads, name, walk } = request;
  page.searches++;
  if (!at.place) {
    take(request, at.id, [await storedOrGone(reads, name, at.id)], page);
    return { ...at, place: { step: 0 } };
  }
  const { found, after } = await walk.read(reads, `${name}/${at.id}`, at.place, room);
  take(request, at.id, found, page);
  if (after) return { ...at, place: after };
  return level === 'type' ? ownerAfter(request, at.owners) : undefined;
}

/** The next patient, one at a time. */
async function ownerAfter({ reads, name }: Request, owners: string | undefined): Promise<Cursor | undefined> {
  if (owners === '') return undefined;
  const page = await reads.searchBundle(name, goingOn('_sort=_id&_count=1', owners));
  const owner = page.matches[0];
  return owner && { id: owner.id, owners: cursorOf(page) ?? '' };
}

function take(request: Request, id: string, found: readonly StoredVersion[], page: Page): void {
  for (const version of found) {
    if (!request.sees.may(version.type)) continue;
    // Whatever the index said: nothing is shown that does not name whose record this is.
    const isOwn = version.type === request.name && version.id === id;
    if (!isOwn && !version.text.includes(`${request.name}/${id}`)) continue;
    const resource = parsed(version);
    if (request.within && !isOwn && !isWithin(resource, request.within)) continue;
    page.support.of(resource);
    if (isWanted(request, version)) page.members.push(version);
  }
}

function isWanted({ types, since }: Request, version: StoredVersion): boolean {
  if (types && !types.includes(version.type)) return false;
  return since === undefined || version.updated > since;
}

function bundleAnswer(
  call: OperationCall,
  request: Request,
  members: readonly StoredVersion[],
  support: readonly StoredVersion[],
  next: Cursor | undefined,
): OperationAnswer {
  const { base, sees } = request;
  const entryOf = (mode: 'match' | 'include') => (version: StoredVersion) => ({
    fullUrl: `${base}/${version.type}/${version.id}`,
    resource: parsed(version),
    search: { mode },
  });
  const entry: BundleEntry[] = [...members.map(entryOf('match')), ...support.map(entryOf('include'))];
  const shown = entry.flatMap(({ resource }) => resource ?? []);
  const withheld = sees.withheld();
  if (withheld.length > 0) entry.push(withheldEntry(withheld));
  const url = `${base}/${[call.type, call.id].filter(Boolean).join('/')}/$everything`;
  const query = new URLSearchParams(queryOf(call));
  const self = query.size > 0 ? `${url}?${query}` : url;
  if (next) query.set('_cursor', Buffer.from(JSON.stringify(next)).toString('base64url'));
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    timestamp: call.tx.context.now().toISOString(),
    ...(next || call.query.includes('_cursor') ? {} : { total: members.length }),
    link: [{ relation: 'self', url: self }, ...(next ? [{ relation: 'next', url: `${url}?${query}` }] : [])],
    ...(entry.length > 0 ? { entry } : {}),
  };
  return { status: 200, resource: bundle, shown };
}

/** Parameters of a POST go into the links too. */
function queryOf(call: OperationCall): [string, string][] {
  return ['start', 'end', '_since', '_type', '_count', '_cursor'].flatMap((name): [string, string][] => {
    const values = name === '_type' ? typesOf(call.parameters, name)?.join(',') : textOnce(call.parameters, name);
    return values === undefined ? [] : [[name, values]];
  });
}

function withheldEntry(types: readonly string[]): BundleEntry {
  return {
    resource: {
      resourceType: 'OperationOutcome',
      issue: [
        {
          severity: 'information',
          code: 'suppressed',
          diagnostics: `Left out because you may not see them: ${types.join(', ')}`,
        },
      ],
    },
    search: { mode: 'outcome' },
  };
}

/**
 * Where a page begins. A cursor is not signed: it only says how far, never what is searched for.
 * @param addressed id in the address: a cursor leads through no other record.
 * @throws FhirError 400 for a cursor that is none of ours.
 */
function startOf(text: string | undefined, addressed: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const { id, place, owners } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Cursor;
    const isNamed = typeof id === 'string' && isId(id) && (addressed === undefined || id === addressed);
    if (isNamed && isPlace(place) && isTextOrNone(owners)) {
      return { id, ...(place ? { place } : {}), ...(owners === undefined ? {} : { owners }) };
    }
  } catch {
    // Falls through to the refusal.
  }
  throw refusal('The page cursor does not belong to this operation', '_cursor');
}

function isPlace(place: Place | undefined): boolean {
  return place === undefined || (Number.isInteger(place.step) && place.step >= 0 && isTextOrNone(place.next));
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
