/**
 * `GET Task/$worklist`: the open cases the caller sees, in the order in which the caller should take them, each with why it stands there
 * (WF-11). What is shown is a search of Tasks within the caller's sight; the order is the projection's.
 */
import type { Resource } from '@medplum/fhirtypes';
import { establishmentSystem, type Operation, type OperationCall, parsedVersion, readsOf } from '../../fhir/index.ts';
import { type WorklistPart, worklistBundle } from './answer.ts';
import type { Placed } from './cursor.ts';
import { pageOf, type RankedRow, type Wanted } from './page.ts';
import type { Reader } from './personal.ts';
import { type Question, questionOf } from './question.ts';
import { readerOf } from './reader.ts';
import type { SubSpecialties } from './sub-specialty.ts';
import { rulesOf } from './table.ts';

/** Rounds in which rows that turn out not to be seen are replaced by others; then the page is shorter than asked, and says so. */
const roundsAtMost = 5;

/** @param rules those by which rows are made today. */
export function worklistOperation(subSpecialties: SubSpecialties, rules: string): Operation {
  return {
    name: 'worklist',
    type: 'Task',
    level: 'type',
    affectsState: false,
    async run(call) {
      const part = await ask(call, subSpecialties, rules);
      const { bundle, shown } = worklistBundle([part], questionOf(call.parameters), `${call.base}/Task/$worklist`);
      return { status: 200, resource: bundle, shown: shown.get(part.tenant) ?? [] };
    },
    everywhere: {
      ask: (call) => ask(call, subSpecialties, rules),
      answer: (parts, parameters, url) => worklistBundle(parts as WorklistPart[], questionOf(parameters), url),
    },
  };
}

async function ask(call: OperationCall, subSpecialties: SubSpecialties, rules: string): Promise<WorklistPart> {
  call.authorize({ interaction: 'search-type', type: 'Task' });
  const question = questionOf(call.parameters);
  const { tx, base } = call;
  const { tenant } = tx.context;
  const loads = question.cursor?.loads[tenant];
  const reader = await readerOf(tx, subSpecialties, tx.context.now(), loads && new Map(Object.entries(loads)));
  const parts = { sql: tx.sql, tenant, reader, nameOf: subSpecialties.nameOf };
  const wanted = wantedOf(call, question, reader);
  const matches: WorklistPart['matches'] = [];
  const included = new Map<string, Resource>();
  let last: Placed | undefined = question.cursor?.after;
  let more = true;
  for (let round = 0; round < roundsAtMost && more && matches.length < question.count; round++) {
    const page = await pageOf(parts, wanted, last, question.count - matches.length);
    matches.push(...(await seen(call, question, page.rows, included)));
    last = page.rows.at(-1) ?? last;
    more = page.more;
  }
  const isMade = (await rulesOf(tx.sql, tenant)) === rules;
  return {
    tenant,
    base,
    matches,
    included,
    more,
    ...(last ? { last } : {}),
    loads: Object.fromEntries(reader.load),
    isMade,
  };
}

/** What can be in the caller's sight: everything, or the establishments whose rows they see and what is theirs one by one. */
function wantedOf({ tx }: OperationCall, { stages, within, mine, kinds }: Question, reader: Reader): Wanted {
  const { rows } = tx.context;
  const common = {
    ...(stages ? { stages } : {}),
    ...(within ? { within } : {}),
    ...(kinds ? { ofKinds: kinds } : {}),
    // An expert is not offered the scans on top of what waits for them, however urgent.
    ...(reader.readsOnly ? { readable: reader.kinds } : {}),
    ...(mine ? { mine } : {}),
  };
  if (rows === undefined || rows.whole.includes('Task')) return { ...common, named: [] };
  const named = rows.keys.flatMap(({ parameter, value }) =>
    parameter === '_id' && value.startsWith('Task/') ? [value.slice('Task/'.length)] : [],
  );
  const label = `${establishmentSystem}|`;
  const establishments = rows.keys.flatMap(({ parameter, value }) =>
    parameter === '_security' && value.startsWith(label) ? [value.slice(label.length)] : [],
  );
  return { ...common, establishments: new Set(establishments), named };
}

/** The rows as the caller sees them, and what is included with them; who does not see one is not told of it. */
async function seen(
  call: OperationCall,
  question: Question,
  rows: readonly RankedRow[],
  included: Map<string, Resource>,
): Promise<WorklistPart['matches']> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ caseId }) => caseId).join(',');
  const query = [`_id=${ids}`, `_count=${rows.length}`, ...question.includes].join('&');
  const page = await readsOf(call).searchBundle('Task', query, {
    mayInclude: (type) => call.isAllowed({ interaction: 'search-type', type }),
  });
  for (const version of page.included) included.set(`${version.type}/${version.id}`, parsedVersion(version));
  const found = new Map(page.matches.map((version) => [version.id, version]));
  return rows.flatMap((ranked) => {
    const version = found.get(ranked.caseId);
    return version ? [{ ranked, resource: parsedVersion(version) }] : [];
  });
}
