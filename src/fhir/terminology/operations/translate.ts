/** `ConceptMap/$translate` (https://hl7.org/fhir/R4/conceptmap-operation-translate.html). */
import type { CodeableConcept, Coding, ConceptMap, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import type { OperationCall } from '../../contract.ts';
import { openBudget } from '../budget.ts';
import { canonicalText, parseCanonical } from '../canonical.ts';
import type { TerminologyRoom } from '../create.ts';
import type { Library } from '../library.ts';
import { invalid, unknownConceptMap, unknownValueSet } from '../problems.ts';
import {
  isTranslated,
  type Match,
  type TranslateQuestion,
  type Translation,
  translateForward,
  translateReverse,
} from '../translate.ts';
import { answer, fewEnough, type Input, instanceOf, readInput, scopeOf } from './input.ts';

const parameters = [
  ...['url', 'conceptMap', 'conceptMapVersion', 'code', 'system', 'version', 'source', 'coding', 'codeableConcept'],
  ...['target', 'targetsystem', 'dependency', 'reverse'],
];

export async function translate(room: TerminologyRoom, call: OperationCall): Promise<Parameters> {
  const input = readInput(call, parameters);
  const given = (await instanceOf(call, 'ConceptMap', room.ownById)) ?? input.resource<ConceptMap>('ConceptMap');
  const library = room.library(scopeOf(call.tx, input, given));
  const isReverse = input.flag('reverse') ?? false;
  const total: Translation = { matches: [], missing: [] };
  const budget = openBudget();
  for (const question of fewEnough(questionsOf(input))) {
    for (const map of await mapsOf(library, input, given, question, isReverse)) {
      budget.time();
      const { matches, missing } = isReverse
        ? translateReverse(map, question)
        : await translateForward(library, map, question);
      total.matches.push(...matches);
      total.missing.push(...missing);
    }
  }
  const result = isTranslated(total);
  const message = result
    ? undefined
    : total.missing.length > 0
      ? `No translation without the dependency ${[...new Set(total.missing)].join(', ')}`
      : 'No translation is known here';
  return answer(
    { name: 'result', valueBoolean: result },
    message === undefined ? undefined : { name: 'message', valueString: message },
    ...total.matches.map(matchParameter),
  );
}

/** The map that was named, or all that may know the code. */
async function mapsOf(
  library: Library,
  input: Input,
  given: ConceptMap | undefined,
  question: TranslateQuestion,
  isReverse: boolean,
): Promise<ConceptMap[]> {
  if (given) return [given];
  const url = input.text('url');
  if (url !== undefined) {
    const version = input.text('conceptMapVersion');
    const canonical = { ...parseCanonical(url), ...(version ? { version } : {}) };
    const named = await library.conceptMap(canonical);
    if (!named) throw unknownConceptMap(canonicalText(canonical));
    return [named];
  }
  const [source, target] = [await scopeUrl(library, input, 'source'), await scopeUrl(library, input, 'target')];
  const maps = await library.conceptMapsOf(question.system, isReverse ? 'target' : 'source');
  // Source and target are those of the question: in reverse they change places.
  const [from, to] = isReverse ? [target, source] : [source, target];
  return maps.filter(
    (map) =>
      (from === undefined || isScope(map.sourceUri ?? map.sourceCanonical, from)) &&
      (to === undefined || isScope(map.targetUri ?? map.targetCanonical, to)),
  );
}

/** Canonical URL of a value set that bounds the maps; it may be named by its id. */
async function scopeUrl(library: Library, input: Input, name: 'source' | 'target'): Promise<string | undefined> {
  const reference = input.text(name);
  if (reference === undefined || !reference.startsWith('ValueSet/')) return reference && parseCanonical(reference).url;
  const valueSet = await library.valueSet(reference);
  if (!valueSet?.url) throw unknownValueSet(reference);
  return valueSet.url;
}

function isScope(written: string | undefined, wanted: string): boolean {
  return written !== undefined && parseCanonical(written).url === wanted;
}

function questionsOf(input: Input): TranslateQuestion[] {
  const [code, coding, concept] = [input.text('code'), input.coding('coding'), input.concept('codeableConcept')];
  if ([code, coding, concept].filter((item) => item !== undefined).length !== 1)
    throw invalid('$translate needs one of code, coding and codeableConcept', 'code');
  const system = input.text('system');
  const version = input.text('version');
  const codings: Coding[] =
    code === undefined
      ? coding
        ? [coding]
        : (concept!.coding ?? [])
      : [{ code, ...(system ? { system } : {}), ...(version ? { version } : {}) }];
  const targetSystem = input.text('targetsystem');
  const dependencies = input.parts('dependency').map(dependencyOf);
  const questions = codings.flatMap((item): TranslateQuestion[] =>
    item.code === undefined || item.system === undefined
      ? []
      : [
          {
            system: item.system,
            ...(item.version ? { version: item.version } : {}),
            code: item.code,
            ...(targetSystem ? { targetSystem } : {}),
            dependencies,
          },
        ],
  );
  if (questions.length === 0)
    throw invalid(
      '$translate needs a code with its system',
      code !== undefined ? 'system' : coding ? 'coding' : 'codeableConcept',
    );
  return questions;
}

function dependencyOf(parts: readonly ParametersParameter[]): { element: string; concept: CodeableConcept } {
  const element = parts.find(({ name }) => name === 'element')?.valueUri;
  const concept = parts.find(({ name }) => name === 'concept')?.valueCodeableConcept;
  if (element === undefined || !concept)
    throw invalid('A dependency has an element (uri) and a concept (CodeableConcept)', 'dependency');
  return { element, concept };
}

function matchParameter({ equivalence, concept, products, source }: Match): ParametersParameter {
  return {
    name: 'match',
    part: [
      { name: 'equivalence', valueCode: equivalence },
      ...(concept ? [{ name: 'concept', valueCoding: concept }] : []),
      ...products.map((product) => ({
        name: 'product',
        part: [
          { name: 'element', valueUri: product.element },
          { name: 'concept', valueCoding: product.concept },
        ],
      })),
      ...(source ? [{ name: 'source', valueUri: source }] : []),
    ],
  };
}
