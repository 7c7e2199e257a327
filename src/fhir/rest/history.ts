/** history of an instance, a type, everything: https://hl7.org/fhir/R4/http.html#history. */
import { FhirError } from '../contract.ts';
import type { HistoryOptions, HistoryPage } from '../store/contract.ts';
import { bundleText, entryText, fullUrl } from './bundle.ts';
import type { Call, ReadInteraction } from './call.ts';
import { etagOf } from './conditions.ts';
import { parse } from './read.ts';

const maxCount = 1000;

const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Years the database reads as we write them. */
const earliest = Date.parse('0001-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** Method a version was made by, as `Bundle.entry.request` tells it; we answer 201 to the first of an id. */
const methods = { create: ['POST', '201'], update: ['PUT', '200'], delete: ['DELETE', '204'] } as const;

export const historyInstance = historyInteraction('history-instance');
export const historyType = historyInteraction('history-type');
export const historySystem = historyInteraction('history-system');

function historyInteraction(code: string): ReadInteraction {
  return {
    access: 'read',
    code,
    async run(call, reads, { guards, clock }) {
      const { type, id } = call;
      const parameters = new URLSearchParams(call.query);
      const page = await reads.history({ ...(type ? { type } : {}), ...(id ? { id } : {}) }, optionsOf(parameters));
      if (id && page.entries.length === 0 && !(await reads.readStored(type!, id))) {
        throw new FhirError(404, 'not-found', `${type}/${id} is not known`);
      }
      // The history of everything shows types the caller may not see one by one.
      if (!type)
        for (const shown of new Set(page.entries.map((entry) => entry.type)))
          guards.authorize(call.context, { interaction: 'history-type', type: shown });
      const resources = page.entries.filter((entry) => !entry.deleted).map(parse);
      const query = `${historyPath(call)}${call.query ? `?${call.query}` : ''}`;
      return { status: 200, body: historyBundle(call, page, parameters, clock.now()), read: { resources, query } };
    },
  };
}

/** @throws FhirError 400 for a parameter unknown or not understood. */
function optionsOf(parameters: URLSearchParams): HistoryOptions {
  const options: HistoryOptions = {};
  for (const [name, value] of parameters) {
    if (name === '_count') {
      if (!/^\d{1,9}$/.test(value) || Number(value) < 1)
        throw new FhirError(400, 'value', '_count must be a number from 1');
      options.count = Math.min(Number(value), maxCount);
    } else if (name === '_since') {
      const since = new Date(value);
      if (!isInstant.test(value) || !(since.getTime() >= earliest && since.getTime() <= latest)) {
        throw new FhirError(400, 'value', '_since must be an instant');
      }
      options.since = since;
    } else if (name === '_cursor') options.cursor = value;
    else throw new FhirError(400, 'not-supported', 'history takes _count, _since and _cursor');
  }
  return options;
}

function historyPath({ type, id }: Call): string {
  return [type, id, '_history'].filter(Boolean).join('/');
}

function historyBundle(call: Call, page: HistoryPage, parameters: URLSearchParams, now: Date): string {
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
        ...(entry.deleted ? {} : { resource: entry.text }),
        request: { method, url: method === 'POST' ? entry.type : `${entry.type}/${entry.id}` },
        response: { status, etag: etagOf(String(entry.version)), lastModified: entry.updated.toISOString() },
      });
    }),
  });
}
