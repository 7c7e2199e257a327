/** What each interaction of the REST API leaves, by the line of the routes it comes by (src/fhir/rest/routes.ts). */
import type { Ask } from './served.ts';

export interface Interaction {
  /** Below the base. */
  ask: Pick<Ask, 'method' | 'path' | 'body' | 'headers'>;
  /** Type, subtypes and patients, when it succeeds. */
  done: string | { none: string };
  /** The code of the refusal. */
  refused: string | { none: string };
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const jsonPatch = { 'content-type': 'application/json-patch+json' };
const person = (id: string) => ({ resourceType: 'Patient', id, identifier: [{ system: 'urn:x', value: id }] });
const post = (path: string, body: object | string = '') =>
  ({ method: 'POST', path, ...(typeof body === 'string' ? { headers: form, body } : { body }) }) as const;
const put = (path: string, body: object) => ({ method: 'PUT', path, body });
const patch = (path: string) => ({
  ...{ method: 'PATCH', path, headers: jsonPatch },
  body: Buffer.from('[{"op":"add","path":"/gender","value":"other"}]'),
});
/** What a route without a body of its own says. */
const read = (path: string, done: string, refused: string): Interaction => ({ ask: { path }, done, refused });

export const interactions: Readonly<Record<string, Interaction>> = {
  'GET metadata': { ask: { path: 'metadata' }, done: { none: 'for everybody' }, refused: { none: 'for everybody' } },
  'GET _history': read('_history?_count=1', 'rest/history-system', 'rest/history-system'),
  'GET ': read('?_type=Group', 'rest/search-system p1', 'rest/search-type'),
  'POST _search': { ask: post('_search', '_type=Group'), done: 'rest/search-system p1', refused: 'rest/search-type' },
  'GET :type': read('Patient?identifier=urn:x|1', 'rest/search-type p1', 'rest/search-type'),
  'POST :type/_search': {
    ask: post('Patient/_search', 'identifier=urn:x|1'),
    ...{ done: 'rest/search-type p1', refused: 'rest/search-type' },
  },
  'GET :type/_history': read('Task/_history', 'rest/history-type p1', 'rest/history-type'),
  'GET :type/:id': read('Patient/p1', 'rest/read p1', 'rest/read'),
  'GET :type/:id/_history': read('Task/t1/_history', 'rest/history-instance p1', 'rest/history-instance'),
  'GET :type/:id/_history/:versionId': read('Patient/p1/_history/1', 'rest/vread p1', 'rest/vread'),
  'GET :compartment/:id/*': read('Patient/p1/*?_type=Group', 'rest/search-system p1', 'rest/search-type'),
  'GET :compartment/:id/:member': read('Patient/p1/Condition', 'rest/search-type', 'rest/search-type'),
  'POST :compartment/:id/_search': {
    ask: post('Patient/p1/_search', '_type=Group'),
    ...{ done: 'rest/search-system p1', refused: 'rest/search-type' },
  },
  'POST :compartment/:id/:member/_search': {
    ask: post('Patient/p1/Condition/_search'),
    ...{ done: 'rest/search-type', refused: 'rest/search-type' },
  },
  'POST :type': {
    ask: post('Patient', { ...person('x'), id: undefined }),
    done: 'rest/create *',
    refused: 'rest/create',
  },
  'PUT :type/:id': { ask: put('Patient/p2', person('p2')), done: 'rest/update+create p2', refused: 'rest/update' },
  'PUT :type': {
    ask: put('Patient?identifier=urn:x|p3', { ...person('p3'), id: undefined }),
    done: 'rest/update+create *',
    refused: 'rest/update',
  },
  'PATCH :type/:id': { ask: patch('Patient/p1'), done: 'rest/patch p1', refused: 'rest/patch' },
  'PATCH :type': { ask: patch('Patient?identifier=urn:x|1'), done: 'rest/patch p1', refused: 'rest/patch' },
  'DELETE :type/:id': { ask: { method: 'DELETE', path: 'Task/t1' }, done: 'rest/delete p1', refused: 'rest/delete' },
  'DELETE :type': { ask: { method: 'DELETE', path: 'Group?_id=g1' }, done: 'rest/delete p1', refused: 'rest/delete' },
  'GET $': { ask: { path: '$meta' }, done: 'rest/operation+operation:$meta', refused: 'rest/operation' },
  'POST $': {
    ask: post('$meta', { resourceType: 'Parameters' }),
    ...{ done: 'rest/operation+operation:$meta', refused: 'rest/operation' },
  },
  'GET :type/$': {
    ask: { path: 'Patient/$meta' },
    ...{ done: 'rest/operation+operation:Patient/$meta', refused: 'rest/operation' },
  },
  'POST :type/$': {
    ask: post('Patient/$meta', { resourceType: 'Parameters' }),
    ...{ done: 'rest/operation+operation:Patient/$meta', refused: 'rest/operation' },
  },
  'GET :type/:id/$': {
    ask: { path: 'Patient/p1/$everything' },
    ...{ done: 'rest/operation+operation:Patient/$everything p1', refused: 'rest/operation' },
  },
  'POST :type/:id/$': {
    ask: post('Patient/p1/$meta', { resourceType: 'Parameters' }),
    ...{ done: 'rest/operation+operation:Patient/$meta p1', refused: 'rest/operation' },
  },
};
