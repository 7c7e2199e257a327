/**
 * Strings made of a regular expression against itself: what leads up to each of its loops, what the loop takes many times over, and an
 * end it does not take. A pattern that tries the same thing in several ways takes for ever over one of them.
 */

/** A part of a pattern. */
type Part =
  | { kind: 'one'; samples: string[] }
  | { kind: 'all'; parts: Part[] }
  | { kind: 'any'; parts: Part[] }
  | { kind: 'loop'; part: Part; least: number; most: number };

export interface Attack {
  prefix: string;
  pump: string;
  suffix: string;
}

const everything = { kind: 'one', samples: ['a', '1', ' '] } as const;
const classes: Readonly<Record<string, string[]>> = {
  d: ['1', '0'],
  D: ['a', ' '],
  w: ['a', '1', '_'],
  W: [' ', '-'],
  s: [' ', '\n', '\t'],
  S: ['a', '1', '-'],
  n: ['\n'],
  r: ['\r'],
  t: ['\t'],
  f: ['\f'],
  v: ['\v'],
  '0': ['\0'],
};

/** Enough of the syntax of https://tc39.es/ecma262/#sec-patterns to find samples; assertions take nothing. */
export function parsePattern(source: string): Part {
  let at = 0;
  const peek = () => source[at];
  const takeIf = (text: string) => {
    if (!source.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };
  const nothing = (): Part => ({ kind: 'all', parts: [] });

  function choice(): Part {
    const parts = [sequence()];
    while (takeIf('|')) parts.push(sequence());
    return parts.length === 1 ? parts[0]! : { kind: 'any', parts };
  }

  function sequence(): Part {
    const parts: Part[] = [];
    while (at < source.length && peek() !== '|' && peek() !== ')') parts.push(repeated(atom()));
    return { kind: 'all', parts };
  }

  function repeated(part: Part): Part {
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(source.slice(at));
    if (!found) return part;
    at += found[0].length;
    const [, sign, least = '0', comma, most = ''] = found;
    if (sign) return { kind: 'loop', part, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity };
    return {
      kind: 'loop',
      part,
      least: Number(least),
      most: comma ? (most === '' ? Infinity : Number(most)) : Number(least),
    };
  }

  function atom(): Part {
    if (takeIf('^') || takeIf('$')) return nothing();
    if (takeIf('.')) return everything as unknown as Part;
    if (takeIf('[')) return setOf();
    if (takeIf('(')) {
      const isAhead = takeIf('?=');
      const isAssertion = isAhead || takeIf('?!') || takeIf('?<=') || takeIf('?<!');
      if (!isAssertion && takeIf('?')) at = source.indexOf(source[at] === '<' ? '>' : ':', at) + 1;
      const part = choice();
      takeIf(')');
      return isAssertion ? (isAhead ? { kind: 'loop', part, least: 0, most: 1 } : nothing()) : part;
    }
    if (takeIf('\\')) return escaped();
    at++;
    return { kind: 'one', samples: [source[at - 1]!] };
  }

  function escaped(): Part {
    const letter = source[at++]!;
    if (/[bB1-9]/.test(letter)) return nothing();
    if (letter === 'k') {
      at = source.indexOf('>', at) + 1;
      return nothing();
    }
    return { kind: 'one', samples: escapeSamples(letter) };
  }

  function escapeSamples(letter: string): string[] {
    if (letter === 'p' || letter === 'P') {
      const end = source.indexOf('}', at);
      const name = source.slice(at + 1, end);
      at = end + 1;
      const candidates = ['a', 'É', '1', ' ', '\u0001', '-', '\u0301', '+', '日'];
      return candidates.filter((one) => new RegExp(`\\${letter}{${name}}`, 'u').test(one));
    }
    const hex = /^(?:\{([0-9a-f]+)\}|([0-9a-f]{4}))/i.exec(source.slice(at));
    if (letter === 'u' && hex) {
      at += hex[0].length;
      return [String.fromCodePoint(Number.parseInt((hex[1] ?? hex[2])!, 16))];
    }
    if (letter === 'x') {
      at += 2;
      return [String.fromCharCode(Number.parseInt(source.slice(at - 2, at), 16))];
    }
    return classes[letter] ?? [letter];
  }

  function setOf(): Part {
    const start = at - 1;
    while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1;
    at++;
    const set = source.slice(start, at);
    const candidates = [...' !"#$%&\'()*+,-./0159:;<=>?@AZ[\\]^_`az{|}~\0\n\r\té\u00a0日'];
    const member = memberOf(set);
    const samples = candidates.filter((one) => member.test(one));
    // Letters, digits and blanks first: other parts of a pattern take those most often.
    samples.sort((one, other) => Number(/[a1 0]/.test(other)) - Number(/[a1 0]/.test(one)));
    return { kind: 'one', samples: samples.length > 0 ? samples.slice(0, 5) : ['a'] };
  }

  return choice();
}

function memberOf(set: string): RegExp {
  try {
    return new RegExp(`^${set}$`, 'u');
  } catch {
    return new RegExp(`^${set}$`);
  }
}

/** One string the part takes. */
function sampleOf(part: Part, turn = 0): string {
  switch (part.kind) {
    case 'one':
      return part.samples[turn % part.samples.length]!;
    case 'all':
      return part.parts.map((one) => sampleOf(one, turn)).join('');
    case 'any':
      return sampleOf(part.parts[turn % part.parts.length]!, turn);
    case 'loop':
      return sampleOf(part.part, turn).repeat(Math.max(part.least, part.most === 0 ? 0 : Math.min(1, part.most)));
  }
}

const turns = 5;
const manyFrom = 20;
const suffixes = ['', '\u0000'];

/** Attacks on every loop without an end, or one that is far. */
export function attacksOn(pattern: Part): Attack[] {
  const attacks = new Map<string, Attack>();
  const visit = (part: Part, prefix: string): string => {
    if (part.kind === 'all') return part.parts.reduce((before, one) => visit(one, before), prefix);
    if (part.kind === 'any') {
      for (const one of part.parts) visit(one, prefix);
    } else if (part.kind === 'loop') {
      visit(part.part, prefix);
      if (part.most >= manyFrom) {
        const samples = Array.from({ length: turns }, (_, turn) => sampleOf(part.part, turn));
        const pumps = [...samples, samples.join('')];
        for (const pump of pumps.filter((text) => text !== '')) {
          for (const suffix of suffixes) attacks.set(JSON.stringify([prefix, pump, suffix]), { prefix, pump, suffix });
        }
      }
    }
    return prefix + sampleOf(part);
  };
  visit(pattern, '');
  return [...attacks.values()];
}
