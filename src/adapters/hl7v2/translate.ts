/** A message's octets → the work the domain has to do for it, inside the transaction that stores the message. */
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import type { ExamComplement, Teleradiology } from '../../teleradiology/contract.ts';
import type { Header } from './acknowledgement.ts';
import { readAnswer, recordAnswer } from './answer.ts';
import { decode } from './charset.ts';
import { readComplement } from './complement.ts';
import { type Message, parseMessage, type Segment } from './message.ts';
import { readCancellation, readRequest } from './order.ts';
import { Refusal } from './refusal.ts';
import { checkHeader, flowOf } from './route.ts';
import type { Tables } from './tables.ts';
import { checkRequired, type OrderGroup, orderGroups, type Translation } from './translation.ts';

/** What the acknowledgement says beyond AA. */
export interface AnswerParts {
  /** The message is taken, and the sender is told this. */
  tell(notice: string): void;
  /** The message is refused for this reason, although what was done about it is kept. */
  refuse(reason: string): void;
}

export interface Work {
  /** Deviations that were tolerated. */
  warnings: readonly string[];
  /** @returns the resource the message is about, e.g. `Task/…`. */
  perform(
    tx: FhirTransaction,
    teleradiology: Teleradiology,
    establishmentId: string,
    answer: AnswerParts,
  ): Promise<string | undefined>;
}

/** Most ORDER groups one message may hold: the work of one transaction stays bounded. */
const maximumOrders = 50;

/** Pure: nothing is read or written. @throws Refusal naming the element at fault. */
export function translate(bytes: Buffer, header: Header, options: { tables: Tables; production: boolean }): Work {
  const { tables, production } = options;
  checkHeader(header, tables);
  const decoded = decode(bytes);
  if ('problem' in decoded) throw new Refusal(decoded.problem, 'MSH^1^18');
  const message = parseMessage(decoded.text, decoded.charset);
  checkAlone(message);
  const groups = orderGroups(message);
  checkGroups(groups);
  const flow = flowOf(header, groups, tables);
  if (groups.length > maximumOrders) {
    throw new Refusal('incoherent', 'ORC^1', { reason: `plus de ${maximumOrders} groupes ORDER dans un message` });
  }
  const warnings = decoded.warning === undefined ? [] : [decoded.warning];
  if (message.continued > 0)
    warnings.push(`${message.continued} ligne(s) sans nom de segment lue(s) comme la suite du texte qui précède`);
  const translation: Translation = {
    message,
    tables,
    site: tables.site(header.sender),
    warnings,
    notices: [],
    production,
  };
  checkRequired(translation, flow, groups);
  const read = <T>(reader: (translation: Translation, group: OrderGroup) => T): T[] =>
    groups.map((group) => reader(translation, group));
  const perform = workOf(flow.flow, read);
  return {
    warnings: translation.warnings,
    perform(tx, teleradiology, establishmentId, answer) {
      for (const notice of translation.notices) answer.tell(notice);
      return perform(tx, teleradiology, establishmentId, answer);
    },
  };
}

/**
 * One message, one patient, one visit (ORM_O01, OMI_O23 and ORU_R01 of the volume): whoever forgot the end of a frame, or puts two patients
 * in one message, would have the orders of the second read as the first one's. @throws Refusal `incoherent`.
 */
function checkAlone(message: Message): void {
  const second = message.segments.find(({ name, ordinal }) => ordinal > 1 && Object.hasOwn(alone, name));
  if (!second) return;
  throw new Refusal('incoherent', `${second.name}^${second.ordinal}`, { reason: alone[second.name] ?? '' });
}

/** Segments a message has once, and what a second one would mean. */
const alone: Readonly<Record<string, string>> = {
  MSH: 'plusieurs messages dans une même trame',
  PID: 'plusieurs patients dans un message',
  PV1: 'plusieurs venues dans un message',
};

/**
 * One ORDER group, one exam: the second of two OBR under one ORC would be read into the first, or not at all. IPC may come once for each
 * step, of one study. @throws Refusal `incoherent`.
 */
function checkGroups(groups: readonly OrderGroup[]): void {
  for (const { segments } of groups) {
    const [, second] = segments.filter(({ name }) => name === 'OBR');
    if (second) throw new Refusal('incoherent', `OBR^${second.ordinal}`, { reason: 'plusieurs OBR sous un même ORC' });
    const [ipc, ...others] = segments.filter(({ name }) => name === 'IPC');
    const study = (segment: Segment | undefined) =>
      [segment?.value(1), segment?.value(1, 3), segment?.value(3)].join(' ');
    const other = others.find((segment) => study(segment) !== study(ipc));
    if (other)
      throw new Refusal('incoherent', `IPC^${other.ordinal}`, { reason: 'plusieurs examens sous un même ORC' });
  }
}

function workOf(
  flow: 'request' | 'cancellation' | 'answer' | 'complement',
  read: <T>(reader: (translation: Translation, group: OrderGroup) => T) => T[],
): Work['perform'] {
  switch (flow) {
    case 'request': {
      const requests = read(readRequest);
      return async (tx, teleradiology, establishmentId, { tell }) => {
        let focus: string | undefined;
        for (const request of requests) {
          const { task, notice } = await teleradiology.receiveRequest(tx, request, establishmentId);
          if (notice !== undefined) tell(notice);
          focus ??= `Task/${task.id}`;
        }
        return focus;
      };
    }
    case 'cancellation': {
      const cancellations = read(readCancellation);
      return async (tx, teleradiology, establishmentId, { refuse }) => {
        let focus: string | undefined;
        const refusals: string[] = [];
        for (const cancellation of cancellations) {
          const { task, refused } = await teleradiology.cancelRequest(tx, cancellation, establishmentId);
          focus ??= `Task/${task.id}`;
          refusals.push(...(refused === undefined ? [] : [refused]));
        }
        // One message has one answer: part cancelled and part refused would be told wrongly either way.
        if (refusals.length > 0 && refusals.length < cancellations.length)
          throw new FhirError(422, 'business-rule', refusals.join(' '), 'ServiceRequest.status');
        if (refusals.length > 0) refuse(refusals.join(' '));
        return focus;
      };
    }
    case 'complement': {
      const exams = read(readComplement);
      return async (tx, teleradiology, establishmentId) => {
        let focus: string | undefined;
        for (const sameRequest of byPlacer(exams)) {
          const task = await teleradiology.completeExam(tx, sameRequest, establishmentId);
          focus ??= `Task/${task.id}`;
        }
        return focus;
      };
    }
    case 'answer': {
      const answers = read(readAnswer);
      return async (tx, _teleradiology, establishmentId) => {
        let focus: string | undefined;
        for (const answer of answers) {
          const reference = await recordAnswer(tx, answer, establishmentId);
          focus ??= reference;
        }
        return focus;
      };
    }
  }
}

/** Exams of one request together, requests in the order of the message. */
function byPlacer(exams: readonly ExamComplement[]): ExamComplement[][] {
  const groups = new Map<string, ExamComplement[]>();
  for (const exam of exams) {
    const key = `${exam.placer.system}|${exam.placer.value}`;
    groups.set(key, [...(groups.get(key) ?? []), exam]);
  }
  return [...groups.values()];
}
