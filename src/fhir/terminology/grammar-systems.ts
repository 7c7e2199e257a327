/**
 * Systems whose codes are made by rules and cannot be listed: languages (BCP 47), media types (BCP 13), units (UCUM). They answer about
 * one code at a time; languages have their French name too.
 */
import type { Canonical } from './canonical.ts';
import type { Concept, Designation, SystemInfo } from './concept.ts';
import { notSupported, tooCostly } from './problems.ts';
import { enumerate, type Selection } from './selection.ts';
import type { KnownSystem } from './system.ts';
import { conceptWords, hasWords, questionWords } from './words.ts';

interface Grammar {
  name: string;
  title: string;
  /** What is known of a code; `undefined` when it breaks the rules. */
  understand(code: string): Promise<{ display?: string; designations: Designation[] } | undefined>;
}

const grammars: Readonly<Record<string, Grammar>> = {
  'urn:ietf:bcp:47': { name: 'BCP47', title: 'Tags for identifying languages', understand: language },
  'urn:ietf:bcp:13': { name: 'BCP13', title: 'Media types', understand: mediaType },
  'http://unitsofmeasure.org': { name: 'UCUM', title: 'Unified Code for Units of Measure', understand: unit },
};

export function grammarSystem({ url, version }: Canonical): KnownSystem | undefined {
  const grammar = Object.hasOwn(grammars, url) ? grammars[url] : undefined;
  // Rules have no versions here: asking for one asks for something else.
  if (!grammar || version !== undefined) return undefined;
  const info: SystemInfo = {
    url,
    name: grammar.name,
    title: grammar.title,
    caseSensitive: true,
    complete: true,
    properties: [],
  };
  const find = async (code: string): Promise<Concept | undefined> => {
    const known = await grammar.understand(code);
    return known && { code, properties: [], parents: [], abstract: false, inactive: false, ...known };
  };
  async function contains(selection: Selection, code: string): Promise<boolean> {
    switch (selection.kind) {
      case 'all':
        return (await find(code)) !== undefined;
      case 'codes':
        return selection.concepts.some((concept) => concept.code === code);
      case 'not':
        return !(await contains(selection.of, code));
      case 'and':
      case 'or': {
        const answers = await Promise.all(selection.of.map((part) => contains(part, code)));
        return selection.kind === 'and' ? answers.every(Boolean) : answers.some(Boolean);
      }
      case 'filter':
        // None of these codes is ever retired.
        if (selection.property === 'inactive' && selection.op === '=') return selection.value === 'false';
        throw notSupported(`Code system ${url} has no filters here: its codes are not listed`);
    }
  }
  return {
    info,
    find,
    contains,
    async select(selection, options) {
      const listed = enumerate(selection);
      if (!listed) throw tooCostly(`The codes of ${url} cannot be listed: they are made by rules`);
      const question = options.text === undefined ? [] : questionWords(options.text);
      const concepts: Concept[] = [];
      for (const { code } of listed) {
        const concept = await find(code);
        if (concept && hasWords(conceptWords(concept), question)) concepts.push(concept);
      }
      return { concepts: concepts.slice(options.offset, options.offset + options.limit), total: concepts.length };
    },
    async subsumption(codeA, codeB) {
      if (!(await find(codeA)) || !(await find(codeB))) return undefined;
      return codeA === codeB ? 'equivalent' : 'not-subsumed';
    },
    related: async (code) => ((await find(code)) ? [code] : undefined),
    children: async () => [],
  };
}

/** RFC 5646; a tag nobody registered still follows the rules. */
async function language(code: string) {
  try {
    if (Intl.getCanonicalLocales(code)[0]?.toLowerCase() !== code.toLowerCase()) return undefined;
  } catch {
    return undefined;
  }
  const nameIn = (locale: string) => new Intl.DisplayNames([locale], { type: 'language' }).of(code) ?? code;
  return { display: nameIn('en'), designations: [{ language: 'fr', value: nameIn('fr') }] };
}

/** RFC 6838, with parameters. */
async function mediaType(code: string) {
  return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s*;\s*[\w-]+=(?:[\w.+-]+|"[^"]*"))*$/.test(code)
    ? { display: code, designations: [] }
    : undefined;
}

/** Longest unit read: a parser is given no more. */
const unitLimit = 100;

/** The parser is loaded when the first unit is asked about. */
async function unit(code: string) {
  if (code === '' || code.length > unitLimit) return undefined;
  const { ucum } = await import('@atomic-ehr/ucum');
  try {
    return ucum.validate(code).valid ? { display: code, designations: [] } : undefined;
  } catch {
    return undefined;
  }
}
