/** The requests of the mix, and what each answer says about versions. Every write carries its token in `Patient.name[0].text`. */
import type { Observation } from './log.ts';

/** A request that can go alone or as an entry of a batch. */
export interface Ask {
  kind: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  ifMatch?: number;
  ifNoneMatch?: string;
  ifNoneExist?: string;
  body?: object;
  contentType?: string;
  /** Statuses that may be answered. */
  allowed: readonly number[];
  /** What an allowed answer says. */
  says(answer: Answered): Partial<Observation>;
}

export interface Answered {
  status: number;
  ref?: string;
  version?: number;
  /** Of a resource in the answer. */
  text?: string;
}

export interface PatientContent {
  token: string;
  count?: number;
  key?: string;
  id?: string;
  link?: string;
}

const identifierSystem = 'urn:oid:1.2.3';

export const criteriaOf = (key: string) => `identifier=${identifierSystem}|${key}`;

export function patientOf({ token, count = 0, key, id, link }: PatientContent): object {
  return {
    resourceType: 'Patient',
    ...(id ? { id } : {}),
    ...(key ? { identifier: [{ system: identifierSystem, value: key }] } : {}),
    name: [{ text: token }],
    multipleBirthInteger: count,
    ...(link ? { link: [{ other: { reference: link }, type: 'seealso' }] } : {}),
  };
}

const gone = [404, 410];

/** What a write answered with a version says. */
function wrote(ref: string | undefined, { version, status }: Answered): Partial<Observation> {
  if (status >= 300 || version === undefined || ref === undefined) return {};
  return { wrote: [{ ref, version }] };
}

function missing(ref: string, { status }: Answered): Partial<Observation> {
  if (status === 404) return { missing: { ref, was: 'unknown' } };
  return status === 410 ? { missing: { ref, was: 'deleted' } } : {};
}

export function put(ref: string, content: PatientContent, ifMatch?: number): Ask {
  const id = ref.slice('Patient/'.length);
  return {
    kind: ifMatch === undefined ? 'update' : 'update if-match',
    method: 'PUT',
    path: ref,
    body: patientOf({ ...content, id }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    allowed: ifMatch === undefined ? [200, 201] : [200, 412],
    says: (answer) => ({
      ...wrote(ref, answer),
      ...(ifMatch === undefined ? {} : { ifMatch: { ref, version: ifMatch } }),
    }),
  };
}

export function putIfNew(ref: string, content: PatientContent): Ask {
  return {
    ...put(ref, content),
    kind: 'create under an id',
    ifNoneMatch: '*',
    allowed: [201, 412],
    says: (answer) => ({ ...wrote(ref, answer), ...(answer.status === 412 ? { present: ref } : {}) }),
  };
}

/** Counts up what was counted before: the test makes it a compare-and-set. */
export function countUp(ref: string, token: string, count: number): Ask {
  return {
    kind: 'JSON Patch',
    method: 'PATCH',
    path: ref,
    contentType: 'application/json-patch+json',
    body: [
      { op: 'test', path: '/multipleBirthInteger', value: count },
      { op: 'replace', path: '/multipleBirthInteger', value: count + 1 },
      { op: 'replace', path: '/name/0/text', value: token },
    ],
    allowed: [200, 422, ...gone],
    says: (answer) => ({
      ...wrote(ref, answer),
      ...missing(ref, answer),
      ...(answer.status === 200 ? { tested: { ref, count } } : {}),
    }),
  };
}

export function fhirPathPatch(ref: string, token: string): Ask {
  const part = [
    { name: 'type', valueCode: 'replace' },
    { name: 'path', valueString: 'Patient.name[0].text' },
    { name: 'value', valueString: token },
  ];
  return {
    kind: 'FHIRPath Patch',
    method: 'PATCH',
    path: ref,
    body: { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] },
    allowed: [200, ...gone],
    says: (answer) => ({ ...wrote(ref, answer), ...missing(ref, answer) }),
  };
}

export function remove(ref: string, ifMatch?: number): Ask {
  return {
    kind: ifMatch === undefined ? 'delete' : 'delete if-match',
    method: 'DELETE',
    path: ref,
    ...(ifMatch === undefined ? {} : { ifMatch }),
    allowed: ifMatch === undefined ? [204] : [204, 412],
    says({ status, version }) {
      const named = ifMatch === undefined ? {} : { ifMatch: { ref, version: ifMatch } };
      if (status !== 204) return named;
      return version === undefined
        ? { missing: { ref, was: 'either' } }
        : { ...named, wrote: [{ ref, version, isDelete: true }] };
    },
  };
}

export function read(ref: string, known?: number): Ask {
  return {
    kind: known === undefined ? 'read' : 'read if-none-match',
    method: 'GET',
    path: ref,
    ...(known === undefined ? {} : { ifNoneMatch: `W/"${known}"` }),
    allowed: known === undefined ? [200, ...gone] : [200, 304, ...gone],
    says(answer) {
      const { status, version, text } = answer;
      if (gone.includes(status)) return missing(ref, answer);
      return { read: [{ ref, version: version!, ...(text ? { text } : {}) }] };
    },
  };
}

export function vread(ref: string, version: number): Ask {
  return {
    kind: 'vread',
    method: 'GET',
    path: `${ref}/_history/${version}`,
    allowed: [200, ...gone],
    // Of a version that may have been superseded long ago, only the text tells.
    says: () => ({}),
  };
}

export function createIfNone(key: string, token: string): Ask {
  return {
    kind: 'create if none',
    method: 'POST',
    path: 'Patient',
    ifNoneExist: criteriaOf(key),
    body: patientOf({ token, key }),
    allowed: [200, 201],
    says(answer) {
      const { status, ref, version, text } = answer;
      return status === 201
        ? wrote(ref, answer)
        : { read: [{ ref: ref!, version: version!, ...(text ? { text } : {}) }] };
    },
  };
}

export function updateMatch(key: string, token: string): Ask {
  return {
    kind: 'update by criteria',
    method: 'PUT',
    path: `Patient?${criteriaOf(key)}`,
    body: patientOf({ token, key }),
    allowed: [200, 201],
    says: (answer) => wrote(answer.ref, answer),
  };
}

export function patchMatch(key: string, token: string): Ask {
  return {
    ...fhirPathPatch('', token),
    kind: 'patch by criteria',
    path: `Patient?${criteriaOf(key)}`,
    allowed: [200, 404],
    says: (answer) => (answer.status === 404 ? { nobody: key } : wrote(answer.ref, answer)),
  };
}

export function removeMatch(key: string): Ask {
  return {
    kind: 'delete by criteria',
    method: 'DELETE',
    path: `Patient?${criteriaOf(key)}`,
    allowed: [204],
    // The answer has a version, and no address: what was deleted is known from the history in the end.
    says: ({ version }) => (version === undefined ? { nobody: key } : { deletedKey: { key, version } }),
  };
}
