/** `CodeSystem/$subsumes`: which of two codes stands above the other (https://hl7.org/fhir/R4/codesystem-operation-subsumes.html). */
import type { Parameters } from '@medplum/fhirtypes';
import type { OperationCall } from '../../contract.ts';
import { parseCanonical } from '../canonical.ts';
import type { TerminologyRoom } from '../create.ts';
import { invalid, unknownCode, unknownSystem } from '../problems.ts';
import { answer, instanceOf, readInput, scopeOf } from './input.ts';

const parameters = ['codeA', 'codeB', 'system', 'version', 'codingA', 'codingB', 'date'];

export async function subsumes(room: TerminologyRoom, call: OperationCall): Promise<Parameters> {
  const input = readInput(call, parameters);
  const instance = await instanceOf(call, 'CodeSystem', room.ownById);
  const [codingA, codingB] = [input.coding('codingA'), input.coding('codingB')];
  const codeA = input.text('codeA') ?? codingA?.code;
  const codeB = input.text('codeB') ?? codingB?.code;
  if (codeA === undefined || codeB === undefined)
    throw invalid('$subsumes needs codeA and codeB, or codingA and codingB', codeA === undefined ? 'codeA' : 'codeB');
  const url = instance?.url ?? input.text('system') ?? codingA?.system ?? codingB?.system;
  if (url === undefined) throw invalid('$subsumes needs a system', 'system');
  for (const coding of [codingA, codingB]) {
    if (coding?.system !== undefined && coding.system !== url)
      throw invalid('Codes of different systems do not subsume each other', 'system');
  }
  const version = input.text('version') ?? codingA?.version ?? codingB?.version;
  const canonical = { ...parseCanonical(url), ...(version ? { version } : {}) };
  const system = await room.library(scopeOf(call.tx, input, instance)).codeSystem(canonical);
  if (!system) throw unknownSystem(url);
  const outcome = await system.subsumption(codeA, codeB);
  if (!outcome) throw unknownCode(422, (await system.find(codeA)) ? codeB : codeA, url);
  return answer({ name: 'outcome', valueCode: outcome });
}
