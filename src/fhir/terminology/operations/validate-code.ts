/**
 * `$validate-code` on CodeSystem and ValueSet (https://hl7.org/fhir/R4/codesystem-operation-validate-code.html,
 * https://hl7.org/fhir/R4/valueset-operation-validate-code.html).
 */
import type { CodeSystem, Parameters, ValueSet } from '@medplum/fhirtypes';
import type { OperationCall } from '../../contract.ts';
import { type Budget, openBudget } from '../budget.ts';
import { canonicalText, parseCanonical } from '../canonical.ts';
import type { TerminologyRoom } from '../create.ts';
import { invalid, unknownSystem, unknownValueSet } from '../problems.ts';
import { type CodeAnswer, type CodeQuestion, validateInSystem, validateInValueSet } from '../validate.ts';
import { answer, fewEnough, type Input, instanceOf, readInput, scopeOf } from './input.ts';

const common = ['url', 'code', 'display', 'coding', 'codeableConcept', 'date', 'abstract', 'displayLanguage'];
const ofSystem = [...common, 'codeSystem', 'version'];
const ofValueSet = [...common, 'valueSet', 'valueSetVersion', 'system', 'systemVersion'];

export async function validateCodeInSystem(room: TerminologyRoom, call: OperationCall): Promise<Parameters> {
  const input = readInput(call, ofSystem);
  const given = (await instanceOf(call, 'CodeSystem', room.ownById)) ?? input.resource<CodeSystem>('CodeSystem');
  const questions = questionsOf(input, undefined, input.text('version'));
  const url = given?.url ?? input.text('url') ?? questions[0]!.system;
  if (url === undefined) throw invalid('CodeSystem/$validate-code needs a url', 'url');
  const library = room.library(scopeOf(call.tx, input, given));
  return firstGood(fewEnough(questions), async (question) => {
    const { url: bare, version } = parseCanonical(url);
    if (question.system !== undefined && question.system !== bare)
      return { valid: false, problem: 'The coding is of another code system' };
    const wanted = version ?? question.version;
    const canonical = { url: bare, ...(wanted ? { version: wanted } : {}) };
    const result = await validateInSystem(library, canonical, question, optionsOf(input));
    if (!result) throw unknownSystem(canonicalText(canonical));
    return result;
  });
}

export async function validateCodeInValueSet(room: TerminologyRoom, call: OperationCall): Promise<Parameters> {
  const input = readInput(call, ofValueSet);
  const given = (await instanceOf(call, 'ValueSet', room.ownById)) ?? input.resource<ValueSet>('ValueSet');
  const library = room.library(scopeOf(call.tx, input, given));
  const valueSet = given ?? (await namedValueSet(input, (reference) => library.valueSet(reference)));
  const questions = questionsOf(input, input.text('system'), input.text('systemVersion'));
  return firstGood(fewEnough(questions), (question, budget) =>
    validateInValueSet(library, valueSet, question, { ...optionsOf(input), budget }),
  );
}

/** The value set that `url` and `valueSetVersion` name. @throws FhirError 400, 404. */
export async function namedValueSet(
  input: Input,
  find: (reference: string) => Promise<ValueSet | undefined>,
): Promise<ValueSet> {
  const url = input.text('url');
  if (url === undefined) throw invalid('A url or a valueSet is needed', 'url');
  const version = input.text('valueSetVersion');
  const reference = version ? canonicalText({ ...parseCanonical(url), version }) : url;
  const found = await find(reference);
  if (!found) throw unknownValueSet(reference);
  return found;
}

function questionsOf(input: Input, system: string | undefined, version: string | undefined): CodeQuestion[] {
  const [code, coding, concept] = [input.text('code'), input.coding('coding'), input.concept('codeableConcept')];
  if ([code, coding, concept].filter((item) => item !== undefined).length !== 1)
    throw invalid('$validate-code needs one of code, coding and codeableConcept', 'code');
  if (code !== undefined) {
    const display = input.text('display');
    return [
      {
        code,
        ...(system ? { system } : {}),
        ...(version ? { version } : {}),
        ...(display === undefined ? {} : { display }),
      },
    ];
  }
  const codings = coding ? [coding] : (concept!.coding ?? []);
  const questions = codings.flatMap((item): CodeQuestion[] => {
    if (item.code === undefined) return [];
    const wanted = item.version ?? version;
    return [
      {
        code: item.code,
        ...(item.system ? { system: item.system } : {}),
        ...(wanted ? { version: wanted } : {}),
        ...(item.display === undefined ? {} : { display: item.display }),
      },
    ];
  });
  if (questions.length === 0) throw invalid('There is no code to validate', coding ? 'coding' : 'codeableConcept');
  return questions;
}

function optionsOf(input: Input) {
  const [abstract, displayLanguage] = [input.flag('abstract'), input.text('displayLanguage')];
  return {
    ...(abstract === undefined ? {} : { allowAbstract: abstract }),
    ...(displayLanguage === undefined ? {} : { displayLanguage }),
  };
}

/** One good coding makes a CodeableConcept good. */
async function firstGood(
  questions: readonly CodeQuestion[],
  ask: (question: CodeQuestion, budget: Budget) => Promise<CodeAnswer>,
): Promise<Parameters> {
  const answers: CodeAnswer[] = [];
  const budget = openBudget();
  for (const question of questions) {
    budget.time();
    const result = await ask(question, budget.another());
    if (result.valid) return told(result);
    answers.push(result);
  }
  // A code with a wrong display says more than a code of another system.
  return told(answers.find(({ wrongDisplay }) => wrongDisplay) ?? answers[0]!);
}

function told({ valid, problem, display }: CodeAnswer): Parameters {
  return answer(
    { name: 'result', valueBoolean: valid },
    problem === undefined ? undefined : { name: 'message', valueString: problem },
    display === undefined ? undefined : { name: 'display', valueString: display },
  );
}
