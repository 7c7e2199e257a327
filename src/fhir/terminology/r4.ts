/**
 * The definitions of R4, as scripts/generate-terminology.ts boiled them down: one resource a line. The first question finds where each
 * line begins (about 10 ms); a line is read and parsed when it is asked for, so that what nobody uses costs no memory.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CodeSystem, ConceptMap, ValueSet } from '@medplum/fhirtypes';

export type TerminologyResource = CodeSystem | ValueSet | ConceptMap;
export type TerminologyType = TerminologyResource['resourceType'];

/** A set of definitions that belongs to the program, not to a tenant. */
export interface Definitions {
  /** Every version of what has this canonical URL. */
  find(type: TerminologyType, url: string): readonly TerminologyResource[];
  /** All concept maps. */
  conceptMaps(): readonly ConceptMap[];
  /** The code system whose value set of all codes has this canonical URL. */
  systemOfValueSet(url: string): string | undefined;
}

const file = fileURLToPath(new URL('./r4.generated.jsonl', import.meta.url));

interface Line {
  start: number;
  length: number;
}

/** How far into a line the elements are that are found without parsing it. */
const headLength = 400;

export function r4Definitions(path = file): Definitions {
  let lines: ReturnType<typeof indexLines> | undefined;
  const index = () => {
    lines ??= indexLines(path);
    return lines;
  };
  const read = ({ start, length }: Line): TerminologyResource => {
    const bytes = Buffer.alloc(length);
    const descriptor = openSync(path, 'r');
    try {
      readSync(descriptor, bytes, 0, length, start);
    } finally {
      closeSync(descriptor);
    }
    return JSON.parse(bytes.toString('utf8')) as TerminologyResource;
  };
  return {
    find: (type, url) => (index().byUrl.get(`${type} ${url}`) ?? []).map(read),
    conceptMaps: () => index().maps.map((line) => read(line) as ConceptMap),
    systemOfValueSet: (url) => index().systems.get(url),
  };
}

function indexLines(path: string) {
  const bytes = readFileSync(path);
  const byUrl = new Map<string, Line[]>();
  const systems = new Map<string, string>();
  const maps: Line[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    const head = bytes.toString('utf8', start, Math.min(end, start + headLength));
    const match = /^\{"resourceType":"(\w+)","url":"([^"]+)"(?:,"version":"[^"]*")?(?:,"valueSet":"([^"]+)")?/.exec(
      head,
    );
    if (!match) throw new Error(`${path}: not a resource at byte ${start}`);
    const [, type, url, valueSet] = match;
    const line = { start, length: end - start };
    const key = `${type} ${url}`;
    byUrl.set(key, [...(byUrl.get(key) ?? []), line]);
    if (valueSet) systems.set(valueSet, url!);
    if (type === 'ConceptMap') maps.push(line);
    start = end + 1;
  }
  return { byUrl, systems, maps };
}
