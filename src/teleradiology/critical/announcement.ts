/**
 * The checklist of a serious diagnosis (WF-9): a QuestionnaireResponse to our `serious-announcement` on the request of the case, filled in by
 * the reader and the site's physicians in turn, closed by `completed`. Pure.
 */
import type {
  Questionnaire,
  QuestionnaireItem,
  QuestionnaireResponse,
  QuestionnaireResponseItem,
} from '@medplum/fhirtypes';
import { passerelle } from '../codes.ts';

const announcementUrl = `${passerelle}/Questionnaire/serious-announcement`;

/** Whether it answers our checklist, whatever its version. */
export function isAnnouncement(response: QuestionnaireResponse): boolean {
  return response.questionnaire?.split('|')[0] === announcementUrl;
}

/** Value elements by the type of the question. */
const values: Readonly<Partial<Record<QuestionnaireItem['type'], 'valueBoolean' | 'valueString' | 'valueDateTime'>>> = {
  boolean: 'valueBoolean',
  string: 'valueString',
  text: 'valueString',
  dateTime: 'valueDateTime',
};

interface Problem {
  /** French. */
  text: string;
  expression: string;
}

/**
 * What is wrong with the answers: an unknown question, an answer of another type or too long, twice; what is still owed when it says
 * `completed`. A box that must be ticked is owed until it is.
 */
export function problemsOf(questionnaire: Questionnaire, response: QuestionnaireResponse): Problem[] {
  const questions = new Map(leaves(questionnaire.item ?? []).map((each) => [each.linkId, each]));
  const answers = answersOf(response.item ?? []);
  const problems: Problem[] = [];
  const wrong = (linkId: string, text: string): void =>
    void problems.push({ text, expression: `QuestionnaireResponse.descendants().where(linkId = '${linkId}')` });
  const seen = new Set<string>();
  for (const { linkId, answer = [] } of answers) {
    const question = questions.get(linkId);
    const element = question && values[question.type];
    const [given, ...others] = answer;
    if (question === undefined || element === undefined || seen.has(linkId) || others.length > 0)
      wrong(/^[\w-]{1,64}$/.test(linkId) ? linkId : '', 'Cette question n’est pas de la liste, ou a deux réponses.');
    else if (given !== undefined && given[element] === undefined)
      wrong(linkId, `« ${question.text} » : la réponse n’est pas du bon type.`);
    else if ((given?.valueString?.length ?? 0) > (question.maxLength ?? Number.POSITIVE_INFINITY))
      wrong(linkId, `« ${question.text} » : la réponse est trop longue.`);
    seen.add(linkId);
  }
  if (response.status !== 'completed') return problems;
  for (const question of questions.values()) {
    const given = answers.find(({ linkId }) => linkId === question.linkId)?.answer?.[0];
    const isDone = question.type === 'boolean' ? given?.valueBoolean === true : Boolean(given?.valueString?.trim());
    if (question.required && !isDone)
      wrong(question.linkId, `« ${question.text} » : reste à faire avant de clore la liste.`);
  }
  return problems;
}

function leaves(items: readonly QuestionnaireItem[]): QuestionnaireItem[] {
  return items.flatMap((each) => (each.type === 'group' ? leaves(each.item ?? []) : [each]));
}

/** Items that answer something; groups only hold others. */
function answersOf(items: readonly QuestionnaireResponseItem[]): QuestionnaireResponseItem[] {
  return items.flatMap((each) => (each.item ? answersOf(each.item) : [each]));
}
