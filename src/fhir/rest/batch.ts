/** batch: every entry on its own, in order, one failing without the others (https://hl7.org/fhir/R4/http.html#transaction). */
import { FhirError } from '../contract.ts';
import { bundleText } from './bundle.ts';
import { answeredEntry, entriesOf, failedEntry, readEntry } from './bundle-entry.ts';
import type { Call, Service, SystemInteraction } from './call.ts';
import { atEntry, failureOf, loggable } from './errors.ts';
import { execute } from './execute.ts';

/** Characters of answers held in memory until all of them leave; entries after that many are not run. */
const answerLimit = 64 * 1024 * 1024;

export const batch: SystemInteraction = {
  access: 'system',
  code: 'batch',
  async run(call, service) {
    const entries: string[] = [];
    let size = 0;
    for (const [index, entry] of entriesOf(call).entries()) {
      const text = size > answerLimit ? tooLarge(index) : await runEntry(entry, index, call, service);
      size += text.length;
      entries.push(text);
    }
    return {
      status: 200,
      body: bundleText({ type: 'batch-response', timestamp: service.clock.now(), links: [], entries }),
    };
  },
};

function tooLarge(index: number): string {
  const { outcome } = new FhirError(413, 'too-costly', 'not run: the answers before this one are large enough already');
  return failedEntry(413, atEntry(outcome, index));
}

async function runEntry(entry: unknown, index: number, bundle: Call, service: Service): Promise<string> {
  try {
    const { call, interaction } = readEntry(entry, index, bundle, service);
    return answeredEntry(await execute(call, interaction, service), call);
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
