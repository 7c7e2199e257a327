/** No regular expression of the server takes more time than its input is long. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { type Attack, attacksOn, parsePattern } from './hostile-strings.ts';

const sources = fileURLToPath(new URL('../../../src', import.meta.url));
/** What runs in the browser of its own user, or on the operator's machine over files of their own. */
const elsewhere = /^(?:ui|cli)\//;

interface Found {
  where: string;
  regex: RegExp;
}

/** Slow over long texts, and never given one. */
const bounded: Readonly<Record<string, string>> = {
  'fhir/search/phonetic.ts': 'a word is cut to 64 letters first',
};

/** Every literal, and every `new RegExp` of a text that is written out. */
function collect(): Found[] {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !elsewhere.test(file),
  );
  return files.flatMap((file) => {
    const path = join(sources, file);
    const tree = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
    const found: Found[] = [];
    const walk = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const end = node.text.lastIndexOf('/');
        const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
        const flags = node.text.slice(end + 1).replace('g', '');
        found.push({
          where: `${relative(sources, path)}:${line + 1} ${node.text}`,
          regex: new RegExp(node.text.slice(1, end), flags),
        });
      }
      ts.forEachChild(node, walk);
    };
    walk(tree);
    return found;
  });
}

/** Of the whole string: a quadratic pattern takes a hundred times as long over ten times as much. */
const lengths = [16, 20, 23, 26, 29, 500, 1_500, 10_000];
const boundMs = 30;

/** Milliseconds of the slowest length tried; growth is stopped as soon as it shows. */
function worst(regex: RegExp, { prefix, pump, suffix }: Attack): number {
  for (const length of lengths) {
    const text = prefix + pump.repeat(Math.ceil(length / pump.length)) + suffix;
    const measure = () => {
      const start = performance.now();
      regex.exec(text);
      return performance.now() - start;
    };
    // What another process took from this one is not the pattern's fault: a slow one is slow each time.
    const taken = measure();
    if (taken > 10 * boundMs || (taken > boundMs && Math.min(measure(), measure()) > boundMs)) return taken;
  }
  return 0;
}

it('the search finds what is known to be slow, and lets pass what is not', () => {
  const slow = [/^(a+)+$/, /^(?:a|a)*$/, /\s+$/, /x*x*y/, /^(?:\d+-?)+$/];
  for (const regex of slow) {
    const attacks = attacksOn(parsePattern(regex.source));
    expect(
      attacks.some((attack) => worst(regex, attack) > boundMs),
      String(regex),
    ).toBe(true);
  }
  for (const regex of [/^a+$/, /^\d{4}(?:-\d\d){2}$/, /^[^,]*,[^,]*$/]) {
    const attacks = attacksOn(parsePattern(regex.source));
    expect(
      attacks.every((attack) => worst(regex, attack) === 0),
      String(regex),
    ).toBe(true);
  }
});

it('every regular expression of the server passes', () => {
  const found = collect();
  expect(found.length).toBeGreaterThan(300);
  const different = [...new Map(found.map((one) => [String(one.regex), one])).values()];
  const slow = different.flatMap(({ where, regex }) => {
    const attack = attacksOn(parsePattern(regex.source)).find((one) => worst(regex, one) > 0);
    return attack && !bounded[where.split(':')[0]!] ? [`${where}  <- ${JSON.stringify(attack)}`] : [];
  });
  expect(slow).toEqual([]);
}, 120_000);
