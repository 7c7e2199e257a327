/** What clients of a FHIR server saw: enough to ask afterwards whether some serial order of their requests explains it. */

/** One version of one resource; `ref` is `Type/id`. */
export interface Version {
  ref: string;
  version: number;
}

/** One request (or one entry of a batch) with its answer. */
export interface Observation {
  /** What was asked, for messages: `PUT p3 if-match 4`. */
  name: string;
  kind: string;
  /** Milliseconds of one clock; the request took effect in between, if it did. */
  start: number;
  end: number;
  /** Time of day at the start and the end, as `meta.lastUpdated` counts. */
  clock: readonly [startMs: number, endMs: number];
  status: number;
  /** Written in every version this request made. */
  token: string;
  wrote: (Version & { isDelete?: true })[];
  read: (Version & { text?: string })[];
  /** Version named by If-Match. */
  ifMatch?: Version;
  /** Value a patch tested for before it replaced it. */
  tested?: { ref: string; count: number };
  /** A resource the answer says is not there: never created (404), or deleted (410). */
  missing?: { ref: string; was: 'unknown' | 'deleted' | 'either' };
  /** A resource the answer says is there. */
  present?: string;
  /** An identifier the answer says nobody has. */
  nobody?: string;
  /** Version made by a deletion by identifier; of which resource is known in the end only. */
  deletedKey?: { key: string; version: number };
  /** A version that must refer to another resource. */
  linked?: { from: Version; to: string };
}

/** A version as the server tells it in the end. */
export interface Told extends Version {
  isDelete: boolean;
  token?: string;
  /** Identifier value under which conditional requests know the resource. */
  key?: string;
  count?: number;
  lastUpdated: number;
  text?: string;
}
