/**
 * A message of the chat on a case (CM-1), as a Communication (https://hl7.org/fhir/R4/communication.html): `about` the case, `partOf` the
 * message its thread began with. Pure: what one is, what a client may say in it, who has read it.
 */
import type { Communication, CommunicationPayload, Extension, Reference } from '@medplum/fhirtypes';
import { FhirError } from '../../fhir/index.ts';
import { codeOf, codeSystem, part, structureDefinition } from '../codes.ts';

/** Categories that people write: a word, a question to the site, its answer. */
export type TalkCategory = 'message' | 'question' | 'answer';
const talkCategories: readonly TalkCategory[] = ['message', 'question', 'answer'];

/** A text of the chat, in characters. */
const longestText = 4_000;
/** Texts and files of one message. */
const mostParts = 6;

/** Code of the platform's own category, whoever wrote it. */
export function categoryOf(communication: Communication): string | undefined {
  return communication.category
    ?.map((each) => codeOf(each, codeSystem.communicationCategory))
    .find((code) => code !== undefined);
}

export function isTalk(communication: Communication): boolean {
  return talkCategories.some((category) => category === categoryOf(communication));
}

/** The case a Communication is about; undefined when it is about none, or about several things. */
export function caseIdOf(communication: Communication): string | undefined {
  const [about, ...others] = communication.about ?? [];
  return others.length > 0 ? undefined : /^Task\/([A-Za-z0-9.-]{1,64})$/.exec(about?.reference ?? '')?.[1];
}

/** What a client may say of a message; the server sets `subject`, `basedOn`, `partOf`, `sender`, `sent` and who has read it. */
const sayable: readonly (keyof Communication)[] = [
  ...(['resourceType', 'id', 'meta', 'identifier', 'status', 'category', 'priority', 'language', 'text'] as const),
  ...(['about', 'subject', 'basedOn', 'sender', 'sent', 'recipient', 'inResponseTo', 'payload'] as const),
];

/** @throws FhirError 422 for what a message cannot carry: `received`, a draft, no text, too much of it. */
export function checkSaid(message: Communication): void {
  const foreign = Object.keys(message).find((name) => !sayable.some((each) => each === name));
  if (foreign !== undefined) throw refused('Un message ne porte pas cet élément.', `Communication.${foreign}`);
  if (message.status !== 'completed')
    throw refused('Un message est envoyé ou n’existe pas : status « completed ».', 'Communication.status');
  if (message.category?.length !== 1) throw refused('Un message n’a qu’une nature.', 'Communication.category');
  const parts = message.payload ?? [];
  if (parts.length === 0) throw refused('Un message vide ne s’envoie pas.', 'Communication.payload');
  if (parts.length > mostParts)
    throw refused(`Un message porte au plus ${mostParts} textes et fichiers.`, 'Communication.payload');
  for (const [index, said] of parts.entries()) checkPart(said, `Communication.payload[${index}]`);
}

function checkPart({ contentString, contentAttachment }: CommunicationPayload, place: string): void {
  if (contentAttachment !== undefined) return;
  if (contentString === undefined) throw refused('Un message porte des textes et des fichiers.', place);
  if (contentString.trim() === '') throw refused('Un texte vide ne s’envoie pas.', place);
  if (contentString.length > longestText)
    throw refused(`Un texte de message a au plus ${longestText} caractères.`, place);
}

/** A message this client may not send, or not so. */
export function refused(text: string, expression: string, status: 403 | 422 = 422): FhirError {
  const code = status === 403 ? 'forbidden' : 'business-rule';
  return FhirError.of(status, [
    {
      severity: 'error',
      code,
      details: { text },
      diagnostics: `message refused: ${expression}`,
      expression: [expression],
    },
  ]);
}

/** Somebody who has read a message, and when first. */
export interface Reading {
  reader: string;
  at: Date;
}

/** Readings in their order; the sender's own is the first. */
function readingsOf(communication: Communication): Reading[] {
  return (communication.extension ?? [])
    .filter(({ url }) => url === structureDefinition.readBy)
    .flatMap((extension) => {
      const reader = part(extension, 'reader')?.valueReference?.reference;
      const at = part(extension, 'at')?.valueDateTime;
      return reader === undefined || at === undefined ? [] : [{ reader, at: new Date(at) }];
    });
}

export function readBy(reader: Reference, at: Date): Extension {
  return {
    url: structureDefinition.readBy,
    extension: [
      { url: 'reader', valueReference: reader },
      { url: 'at', valueDateTime: at.toISOString() },
    ],
  };
}

/**
 * The message once somebody read it: `received` is when the first other person did, the extension when each did.
 * @returns the same object when they had read it already.
 */
export function withReading(communication: Communication, reader: Reference, at: Date): Communication {
  if (readingsOf(communication).some((reading) => reading.reader === reader.reference)) return communication;
  return {
    ...communication,
    received: communication.received ?? at.toISOString(),
    extension: [...(communication.extension ?? []), readBy(reader, at)],
  };
}
