/** The checklist of a serious diagnosis as a form: questions of the Questionnaire, answers of the response kept on the case. */
import type {
  Questionnaire,
  QuestionnaireItem,
  QuestionnaireResponse,
  QuestionnaireResponseItem,
  Task,
} from '@medplum/fhirtypes';

export const announcementUrl = 'https://fhir.passerelle.example/Questionnaire/serious-announcement';

export interface Question {
  linkId: string;
  text: string;
  type: 'boolean' | 'string' | 'text' | 'dateTime';
  isOwed: boolean;
  maxLength: number | undefined;
}

export interface QuestionGroup {
  linkId: string;
  title: string;
  questions: Question[];
}

/** Texts as typed, `true` for ticked boxes. */
export type Answers = Readonly<Record<string, string | true>>;

const kinds: readonly string[] = ['boolean', 'string', 'text', 'dateTime'];

/** Questions outside a group make one of their own, without a title. */
export function groupsOf(questionnaire: Questionnaire): QuestionGroup[] {
  return (questionnaire.item ?? []).map((each) => ({
    linkId: each.linkId,
    title: each.type === 'group' ? (each.text ?? '') : '',
    questions: (each.type === 'group' ? (each.item ?? []) : [each]).flatMap(questionOf),
  }));
}

function questionOf({ linkId, text = '', type, required, maxLength }: QuestionnaireItem): Question[] {
  if (!kinds.includes(type)) return [];
  return [{ linkId, text, type: type as Question['type'], isOwed: required === true, maxLength }];
}

export function answersOf(response: QuestionnaireResponse | undefined): Answers {
  const leaves = (items: readonly QuestionnaireResponseItem[]): QuestionnaireResponseItem[] =>
    items.flatMap((each) => (each.item ? leaves(each.item) : [each]));
  return Object.fromEntries(
    leaves(response?.item ?? []).flatMap(({ linkId, answer }): [string, string | true][] => {
      const given = answer?.[0];
      if (given?.valueBoolean === true) return [[linkId, true]];
      const text = given?.valueString ?? given?.valueDateTime;
      return text === undefined ? [] : [[linkId, text]];
    }),
  );
}

/** The response with these answers; what is empty is left out. */
export function responseOf(
  task: Task,
  groups: readonly QuestionGroup[],
  answers: Answers,
  stored: QuestionnaireResponse | undefined,
  isClosed: boolean,
): QuestionnaireResponse {
  const item = groups.flatMap(({ linkId, title, questions }): QuestionnaireResponseItem[] => {
    const given = questions.flatMap((question) => answerTo(question, answers[question.linkId]));
    if (given.length === 0) return [];
    return title === '' ? given : [{ linkId, item: given }];
  });
  const { item: _former, ...rest } = stored ?? {};
  return {
    ...rest,
    resourceType: 'QuestionnaireResponse',
    questionnaire: announcementUrl,
    status: isClosed ? 'completed' : 'in-progress',
    subject: task.for as QuestionnaireResponse['subject'],
    basedOn: [task.focus] as QuestionnaireResponse['basedOn'],
    ...(item.length > 0 ? { item } : {}),
  };
}

function answerTo({ linkId, type }: Question, value: string | true | undefined): QuestionnaireResponseItem[] {
  if (value === true) return [{ linkId, answer: [{ valueBoolean: true }] }];
  const text = value?.trim() ?? '';
  if (text === '') return [];
  if (type !== 'dateTime') return [{ linkId, answer: [{ valueString: text }] }];
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? [] : [{ linkId, answer: [{ valueDateTime: moment.toISOString() }] }];
}
