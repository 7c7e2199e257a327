/** The terminology operations of R4 (https://hl7.org/fhir/R4/terminology-service.html). */
import type { Resource } from '@medplum/fhirtypes';
import type { Operation, OperationCall } from '../../contract.ts';
import type { TerminologyRoom } from '../create.ts';
import type { TerminologyType } from '../r4.ts';
import { expand } from './expand.ts';
import { lookup } from './lookup.ts';
import { subsumes } from './subsumes.ts';
import { translate } from './translate.ts';
import { validateCodeInSystem, validateCodeInValueSet } from './validate-code.ts';

type Run = (room: TerminologyRoom, call: OperationCall) => Promise<Resource>;

const offered: readonly [type: TerminologyType, name: string, levels: readonly Operation['level'][], run: Run][] = [
  ['CodeSystem', 'lookup', ['type'], lookup],
  ['CodeSystem', 'validate-code', ['type', 'instance'], validateCodeInSystem],
  ['CodeSystem', 'subsumes', ['type', 'instance'], subsumes],
  ['ValueSet', 'expand', ['type', 'instance'], expand],
  ['ValueSet', 'validate-code', ['type', 'instance'], validateCodeInValueSet],
  ['ConceptMap', 'translate', ['type', 'instance'], translate],
];

export function terminologyOperations(room: TerminologyRoom): Operation[] {
  return offered.flatMap(([type, name, levels, run]) =>
    levels.map(
      (level): Operation => ({
        name,
        type,
        level,
        affectsState: false,
        definition: `http://hl7.org/fhir/OperationDefinition/${type}-${name}`,
        run: (call) => run(room, call),
      }),
    ),
  );
}
