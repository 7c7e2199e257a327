/**
 * One page of curves (SVG) from a result of `npm run bench -- scale --json` in docs/performance: creates per second and the p95 of the
 * searches against the number of requests stored. Usage: node scripts/plot-performance.ts <result.json> <picture.svg>
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { BenchResult } from '../src/cli/bench/result.ts';

const [from, to] = process.argv.slice(2);
if (!from || !to) throw new Error('usage: node scripts/plot-performance.ts <result.json> <picture.svg>');
const { machine, results } = JSON.parse(readFileSync(from, 'utf8')) as {
  machine: Record<string, unknown>;
  results: BenchResult[];
};

const sizes: Readonly<Record<string, number>> = { '10k': 1e4, '100k': 1e5, '1m': 1e6, '10m': 1e7 };
const colours = ['#0b7285', '#c92a2a', '#2b8a3e', '#e67700', '#5f3dc4', '#364fc7', '#862e9c', '#495057'];
const width = 760;
const plot = { left: 70, right: 560, height: 250 };

interface Curve {
  name: string;
  points: [rows: number, value: number][];
}

/** Figures `suite/name-size` as one curve per name. */
function curves(suite: string, wanted: (name: string) => boolean): Curve[] {
  const byName = new Map<string, Curve>();
  for (const { name, value } of results) {
    const match = /^([a-z]+)\/(.+)-([0-9]+[km])$/.exec(name);
    const rows = match && sizes[match[3]!];
    if (!match || match[1] !== suite || !rows || !wanted(match[2]!)) continue;
    const curve = byName.get(match[2]!) ?? { name: match[2]!, points: [] };
    curve.points.push([rows, value]);
    byName.set(curve.name, curve);
  }
  return [...byName.values()];
}

function axis(value: number, low: number, high: number, from: number, to: number): number {
  return from + ((value - low) / (high - low)) * (to - from);
}

/** One diagram; rows on a logarithmic axis, values from zero. */
function diagram(title: string, unit: string, drawn: readonly Curve[], top: number): string {
  const highest = Math.max(...drawn.flatMap(({ points }) => points.map(([, value]) => value))) * 1.1;
  const bottom = top + plot.height;
  const x = (rows: number) => axis(Math.log10(rows), 3.8, 7.2, plot.left, plot.right);
  const y = (value: number) => axis(value, 0, highest, bottom, top + 30);
  const label = (at: number, text: string, anchor = 'middle', line = bottom + 18) =>
    `<text x="${at}" y="${line}" text-anchor="${anchor}">${text}</text>`;
  const lines = drawn.map(({ name, points }, n) => {
    const colour = colours[n % colours.length]!;
    const path = points.map(([rows, value], k) => `${k ? 'L' : 'M'}${x(rows).toFixed(1)} ${y(value).toFixed(1)}`);
    const dots = points.map(
      ([rows, value]) => `<circle cx="${x(rows).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>`,
    );
    const [, last = 0] = points.at(-1) ?? [];
    return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}
<text x="${plot.right + 16}" y="${top + 44 + n * 18}" fill="${colour}">${name}: ${last}</text>`;
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = highest * share;
    return `<path d="M${plot.left} ${y(value)}H${plot.right}" stroke="#dee2e6"/>${label(plot.left - 8, value.toPrecision(2), 'end', y(value) + 4)}`;
  });
  return `<text x="${plot.left}" y="${top + 14}" font-weight="bold">${title} (${unit})</text>${grid.join('')}${Object.entries(
    sizes,
  )
    .map(([name, rows]) => label(x(rows), name))
    .join('')}${lines.join('')}`;
}

const body = [
  diagram(
    'Creates against rows stored',
    'per second',
    curves('scale', (name) => name === 'create'),
    30,
  ),
  diagram(
    'Searches against rows stored',
    'ms, p95, over HTTP',
    curves('search', () => true),
    340,
  ),
];
writeFileSync(
  to,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 660" font-family="sans-serif" font-size="12">
<rect width="${width}" height="660" fill="#fff"/>${body.join('')}
<text x="${plot.left}" y="645" fill="#495057">${String(machine.cpu)}, ${String(machine.cores)} cores, ${String(machine.memoryGiB)} GiB; load, server and database on it together</text>
</svg>
`,
);
