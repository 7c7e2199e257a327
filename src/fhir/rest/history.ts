/** history of an instance, a type, everything: https://hl7.org/fhir/R4/http.html#history. */
import { FhirError } from '../contract.ts';
import { r4Types } from '../definitions/structure-r4.ts';
import type { HistoryOptions, HistoryPage } from '../store/contract.ts';
import { bundleText, entryText, fullUrl } from './bundle.ts';
import type { Call, ReadInteraction } from './call.ts';
import { etagOf } from './conditions.ts';
import { instantOf, periodOf } from './instants.ts';
import { permittedTypes } from './permits.ts';
import { served } from './read.ts';
import { type Subset, subsetOf, subsetParameters } from './subsetting.ts';

const maxCount = 1000;

/** Method a version was made by, as `Bundle.entry.request` tells it; we answer 201 to the first of an id. */
const methods = {
  create: ['POST', '201'],
  put: ['PUT', '201'],
  update: ['PUT', '200'],
  delete: ['DELETE', '204'],
} as const;

export const historyInstance = historyInteraction('history-instance');
export const historyType = historyInteraction('history-type');
export const historySystem = historyInteraction('history-system');

function historyInteraction(code: string): ReadInteraction {
  return {
    access: 'read',
    code,
    async run(call, reads, { guards, clock, searchDefinitions }) {
      const { type, id } = call;
      const parameters = new URLSearchParams(call.query);
      const options = optionsOf(parameters, call);
      const subset = subsetOf(parameters, searchDefinitions);
      // The history of everything shows only types the caller may see one by one.
      const scope = type
        ? { type, ...(id ? { id } : {}) }
        : { types: permittedTypes(guards, call.context, 'history-type', r4Types) };
      const page = await reads.history(scope, options);
      if (id && page.entries.length === 0 && !(await reads.readStored(type!, id))) {
        throw new FhirError(404, 'not-found', `${type}/${id} is not known`);
      }
      const shown = page.entries.filter((entry) => !entry.deleted);
      const query = `${historyPath(call)}${call.query ? `?${call.query}` : ''}`;
      return {
        status: 200,
        body: historyBundle(call, page, parameters, subset, clock.now()),
        read: served(shown, query),
      };
    },
  };
}

/** @throws FhirError 400 for a parameter unknown (unless handling is lenient) or not understood. */
function optionsOf(parameters: URLSearchParams, { prefer }: Call): HistoryOptions {
  const options: HistoryOptions = {};
  for (const [name, value] of parameters) {
    if (name === '_count') {
      if (!/^\d{1,9}$/.test(value) || Number(value) < 1)
        throw new FhirError(400, 'value', '_count must be a number from 1', 'http._count');
      options.count = Math.min(Number(value), maxCount);
    } else if (name === '_since') options.since = instantOf(name, value);
    else if (name === '_at') options.at = periodOf(name, value);
    else if (name === '_sort') options.ascending = isAscending(value);
    else if (name === '_cursor') options.cursor = value;
    else if (!subsetParameters.has(name) && prefer.handling !== 'lenient')
      throw new FhirError(
        400,
        'not-supported',
        'history takes _count, _since, _at, _sort, _summary, _elements and _cursor',
        `http.${name.slice(0, 100)}`,
      );
  }
  return options;
}

function isAscending(sort: string): boolean {
  if (sort !== '_lastUpdated' && sort !== '-_lastUpdated')
    throw new FhirError(400, 'not-supported', 'history is sorted by _lastUpdated or -_lastUpdated', 'http._sort');
  return sort === '_lastUpdated';
}

function historyPath({ type, id }: Call): string {
  return [type, id, '_history'].filter(Boolean).join('/');
}

function historyBundle(call: Call, page: HistoryPage, parameters: URLSearchParams, subset: Subset, now: Date): string {
  const url = `${call.base}/${historyPath(call)}`;
  const next = new URLSearchParams(parameters);
  if (page.next) next.set('_cursor', page.next);
  return bundleText({
    type: 'history',
    timestamp: now,
    ...(page.total === undefined ? {} : { total: page.total }),
    links: [
      { relation: 'self', url: call.query ? `${url}?${call.query}` : url },
      ...(page.next ? [{ relation: 'next' as const, url: `${url}?${next}` }] : []),
    ],
    entries: page.entries.map((entry) => {
      const [method, status] = methods[entry.interaction];
      return entryText({
        fullUrl: fullUrl(call.base, entry),
        ...(entry.deleted ? {} : { resource: subset(entry).text }),
        request: { method, url: method === 'POST' ? entry.type : `${entry.type}/${entry.id}` },
        response: { status, etag: etagOf(String(entry.version)), lastModified: entry.updated.toISOString() },
      });
    }),
  });
}
