/** batch: every entry on its own, one failing without the others (https://hl7.org/fhir/R4/http.html#transaction). */
import { FhirError } from '../contract.ts';
import { linksToCreated } from './batch-links.ts';
import { bundleText } from './bundle.ts';
import { answeredEntry, entriesOf, failedEntry, readEntry } from './bundle-entry.ts';
import type { Call, Service, SystemInteraction } from './call.ts';
import { atEntry, failureOf, loggable } from './errors.ts';
import { execute } from './execute.ts';

/** Characters of answers held in memory until all of them leave; entries after that many are not run. */
const answerLimit = 64 * 1024 * 1024;

/** Entries next to each other that cannot depend on one another run side by side, so many at most. */
const atOnce = 16;

type Run = () => Promise<string>;

export const batch: SystemInteraction = {
  access: 'system',
  code: 'batch',
  async run(call, service) {
    const entries: string[] = [];
    let size = 0;
    const batched = entriesOf(call);
    const links = linksToCreated(batched, call.base);
    for (const runs of inGroups(batched, links, call, service)) {
      const texts =
        size > answerLimit
          ? runs.map((_, index) => tooLarge(entries.length + index))
          : await Promise.all(runs.map((run) => run()));
      for (const text of texts) size += text.length;
      entries.push(...texts);
    }
    return {
      status: 200,
      body: bundleText({ type: 'batch-response', timestamp: service.clock.now(), links: [], entries }),
    };
  },
};

/** Entries in the order of the Bundle; creates without conditions, which nothing before or after can change, together. */
function* inGroups(
  entries: readonly unknown[],
  links: ReadonlyMap<number, FhirError>,
  bundle: Call,
  service: Service,
): Generator<Run[]> {
  let group: Run[] = [];
  for (const [index, entry] of entries.entries()) {
    const run = () => runEntry(entry, index, bundle, service, links.get(index));
    if (!isPlainCreate(entry)) {
      if (group.length > 0) yield group;
      group = [];
      yield [run];
      continue;
    }
    group.push(run);
    if (group.length === atOnce) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}

function isPlainCreate(entry: unknown): boolean {
  const { method, url, ifNoneExist } = (entry as { request?: Record<string, unknown> } | null)?.request ?? {};
  return method === 'POST' && typeof url === 'string' && /^[A-Za-z]+$/.test(url) && ifNoneExist === undefined;
}

function tooLarge(index: number): string {
  const { outcome } = new FhirError(413, 'too-costly', 'not run: the answers before this one are large enough already');
  return failedEntry(413, atEntry(outcome, index));
}

async function runEntry(
  entry: unknown,
  index: number,
  bundle: Call,
  service: Service,
  refusal: FhirError | undefined,
): Promise<string> {
  try {
    if (refusal) throw refusal;
    const read = readEntry(entry, index, bundle, service);
    return answeredEntry(await execute(read.call, read.interaction, service), read);
  } catch (error) {
    const { status, outcome, isInternal } = failureOf(error, bundle.context.requestId);
    if (isInternal)
      service.log.error(
        { ...loggable(error), requestId: bundle.context.requestId, entry: index },
        'batch entry failed',
      );
    return failedEntry(status, atEntry(outcome, index));
  }
}
