/** The talk about a case in words: messages, questions and their answers, telephone calls, oldest first (docs/fhir-conventions.md, "Talking"). */
import type { Communication, CommunicationPayload, Extension, Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { extensions, systems } from '../fhir/systems.ts';
import type { Session } from '../session/session.ts';

export interface ChatFile {
  /** Number of the part, as `$attachment` takes it. */
  part: number;
  title: string;
  contentType: string;
}

export interface ChatLine {
  id: string;
  /** What it is, where it is no plain message. */
  label: string | undefined;
  author: string;
  isMine: boolean;
  at: string | undefined;
  texts: string[];
  files: ChatFile[];
  /** What it answers, in short. */
  answers: string | undefined;
  /** Who has read it, its author left out. */
  readers: string[];
  isUnread: boolean;
  /** People may answer it; a record of a call is no message. */
  isMessage: boolean;
  /** The reading waits for its answer, where the case still waits. */
  isQuestion: boolean;
}

const kinds: Readonly<Record<string, string | undefined>> = {
  message: undefined,
  question: 'Question',
  answer: 'Réponse',
  'phone-exchange': 'Téléphone',
  'critical-acknowledgement': 'Résultat critique',
};

/** Categories that are part of the talk; everything else the platform tells is an alert. */
export const talkCategories: readonly string[] = Object.keys(kinds);

export function talkCategory(communication: Communication): string | undefined {
  const code = communication.category?.[0]?.coding?.find(
    ({ system }) => system === systems.communicationCategory,
  )?.code;
  return code !== undefined && code in kinds ? code : undefined;
}

const partOf = (extension: Extension, url: string): Extension | undefined =>
  extension.extension?.find((each) => each.url === url);

function readersOf(communication: Communication): { reference: string; display: string }[] {
  return (communication.extension ?? [])
    .filter(({ url }) => url === extensions.readBy)
    .flatMap((extension) => {
      const reader = partOf(extension, 'reader')?.valueReference;
      const reference = literalReference(reader);
      return reference === undefined ? [] : [{ reference, display: reader?.display ?? 'Une personne' }];
    });
}

const shortLength = 60;
const short = (text: string): string => (text.length > shortLength ? `${text.slice(0, shortLength)}…` : text);

export function chatLines(
  task: Task,
  communications: readonly Communication[],
  session: Pick<Session, 'reference'>,
): ChatLine[] {
  const about = `Task/${task.id}`;
  const talk = communications.filter(
    (one) =>
      talkCategory(one) !== undefined && one.about?.some((reference) => literalReference(reference) === about) === true,
  );
  const texts = new Map(talk.map((one) => [`Communication/${one.id}`, textsOf(one)[0] ?? 'un fichier']));
  return talk
    .map((one): ChatLine => {
      const category = talkCategory(one) ?? 'message';
      const isMessage = category === 'message' || category === 'question' || category === 'answer';
      const sender = literalReference(one.sender);
      const readers = readersOf(one);
      const answered = texts.get(literalReference(one.inResponseTo?.[0]) ?? '');
      return {
        id: one.id ?? '',
        label: kinds[category],
        author: one.sender?.display ?? 'Passerelle',
        isMine: sender === session.reference,
        at: one.sent,
        texts: textsOf(one),
        files: filesOf(one.payload ?? []),
        answers: answered === undefined || !isMessage ? undefined : short(answered),
        readers: readers.filter(({ reference }) => reference !== sender).map(({ display }) => display),
        isUnread: isMessage && !readers.some(({ reference }) => reference === session.reference),
        isMessage,
        isQuestion: category === 'question',
      };
    })
    .sort((a, b) => Date.parse(a.at ?? '') - Date.parse(b.at ?? ''));
}

const textsOf = (communication: Communication): string[] =>
  (communication.payload ?? []).flatMap(({ contentString }) => contentString ?? []);

function filesOf(payload: readonly CommunicationPayload[]): ChatFile[] {
  return payload.flatMap(({ contentAttachment }, part): ChatFile[] =>
    contentAttachment === undefined
      ? []
      : [
          {
            part,
            title: contentAttachment.title ?? 'Pièce jointe',
            contentType: contentAttachment.contentType ?? 'application/octet-stream',
          },
        ],
  );
}

/** Roles that write on a case; the others read, if they read it at all. */
const writers: readonly string[] = ['technologist', 'requester', 'radiologist', 'expert', 'coordinator'];

export function mayWrite(session: Pick<Session, 'roles'>): boolean {
  return session.roles.some((role) => writers.includes(role));
}

export interface Draft {
  text: string;
  files: readonly { title: string; contentType: string; data: string }[];
  /** Id of the message it answers. */
  answers: string | undefined;
  /** Stays the same when it is sent again. */
  key: string;
}

/** The message as a client sends it; the server says who sends it, when and to whom. */
export function messageOf(task: Task, { text, files, answers, key }: Draft): Communication {
  return {
    resourceType: 'Communication',
    identifier: [{ system: systems.message, value: key }],
    status: 'completed',
    category: [{ coding: [{ system: systems.communicationCategory, code: 'message' }] }],
    about: [{ reference: `Task/${task.id}` }],
    ...(answers === undefined ? {} : { inResponseTo: [{ reference: `Communication/${answers}` }] }),
    payload: [
      ...(text.trim() === '' ? [] : [{ contentString: text.trim() }]),
      ...files.map((file) => ({ contentAttachment: file })),
    ],
  };
}
