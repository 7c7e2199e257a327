/** `npm run bench`: the performance table (design §4). Every figure stands beside the raw limit of the same run. */
import { cpus, totalmem } from 'node:os';
import { CommandError } from '../command-error.ts';
import type { BenchResult } from './result.ts';

type Suite = () => Promise<BenchResult[]>;

/** Suites in the order in which they run. */
const suites: Record<string, () => Promise<Suite>> = {
  start: async () => (await import('./start-suite.ts')).startSuite,
  fhir: async () => (await import('./fhir-suite.ts')).fhirSuite,
  search: async () => (await import('./search-suite.ts')).searchSuite,
  hl7v2: async () => (await import('./hl7v2-suite.ts')).hl7v2Suite,
  dicom: async () => (await import('./dicom-suite.ts')).dicomSuite,
  report: async () => (await import('./report-suite.ts')).reportSuite,
  workflow: async () => {
    const { workflowSuite } = await import('./workflow-suite.ts');
    return () => workflowSuite();
  },
};

/** Suites that take long: run by name only. */
const longSuites: Record<string, () => Promise<Suite>> = {
  scale: async () => {
    const { scaleSuite } = await import('./scale-suite.ts');
    return () => scaleSuite('1m');
  },
  'scale-10m': async () => {
    const { scaleSuite } = await import('./scale-suite.ts');
    return () => scaleSuite('10m');
  },
};

/** Runs the suites named (all but the long ones by default); with `--json` the last line is one JSON object. */
export async function bench(args: string[]): Promise<number> {
  const json = args.includes('--json');
  const names = args.filter((argument) => !argument.startsWith('--'));
  const known = { ...suites, ...longSuites };
  const unknown = names.find((name) => !(name in known));
  if (unknown) throw new CommandError(`Suite inconnue : « ${unknown} ». Il y a ${Object.keys(known).join(', ')}.`);
  const results: BenchResult[] = [];
  process.stdout.write(`${row('chiffre', 'valeur', 'unité', 'limite', 'rapport', 'la limite est')}\n`);
  for (const [name, load] of Object.entries(names.length > 0 ? known : suites)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const suite = await load();
    for (const item of await suite()) {
      results.push(item);
      process.stdout.write(
        `${row(item.name, String(item.value), item.unit, String(item.limit ?? ''), String(item.ratio ?? ''), item.limitName ?? '')}\n`,
      );
      if (item.peer)
        process.stdout.write(`${row('', '', '', String(item.peerValue), String(item.peerRatio), item.peer)}\n`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify({ machine: machine(), results })}\n`);
  return 0;
}

function row(name: string, value: string, unit: string, limit: string, ratio: string, limitName: string): string {
  return `${name.padEnd(30)} ${value.padStart(10)} ${unit.padEnd(12)} ${limit.padStart(10)} ${ratio.padStart(7)}  ${limitName}`.trimEnd();
}

function machine() {
  return {
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
}
