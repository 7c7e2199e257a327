/** Plugs the domain into the rooms it is given, and gives the adapters their port. */

import { createSweep } from './clock/index.ts';
import type { Teleradiology } from './contract.ts';
import { guardContract } from './contract-terms/index.ts';
import { completeAnnouncement, guardAnnouncement, readAnnouncement } from './critical/index.ts';
import { keepProblem } from './identity/keep-problem.ts';
import { onStudy } from './images/on-study.ts';
import { caseOperations } from './operations/index.ts';
import { onOutcome } from './outgoing/on-outcome.ts';
import { raiseDue } from './outgoing/raise-due.ts';
import { penaltiesOperation } from './penalties/index.ts';
import { checkProfessionalDocument, createReasons, guardPeople, peopleOperations } from './people/index.ts';
import { guardDocument } from './reading/guard-documents.ts';
import { cancelRequest } from './request/cancel.ts';
import { completeExam } from './request/complete-exam.ts';
import { createPendingRequests } from './request/from-rest.ts';
import { receiveRequest } from './request/receive.ts';
import type { Room } from './room.ts';
import { createPublishing, guardRota, rotaOperations } from './rota/index.ts';
import { guardWrite } from './shell/guard-writes.ts';
import type { Shell } from './shell/perform.ts';
import { createRefusals } from './shell/refusals.ts';
import { createTaskWrites } from './shell/task-writes.ts';
import { completeMessage, guardMessage, talkOperations } from './talk/index.ts';
import { createWorklist } from './worklist/index.ts';

/** The domain running in this process. */
export interface TeleradiologyRoom extends Teleradiology {
  /** Raises what fell due while the server was down, then keeps watching. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Raises what is due now. @returns how many. */
  sweep(): Promise<number>;
}

export function createTeleradiology(room: Room): TeleradiologyRoom {
  const shell: Shell = { ...room, writes: createTaskWrites(), refusals: createRefusals(room.database, room.log) };
  const pending = createPendingRequests(shell);
  const sweep = createSweep(room, (due, tx) => raiseDue(shell, due, tx));

  room.store.beforeCommit(
    (change, tx) => guardWrite(shell, pending, change, tx),
    ...(['ServiceRequest', 'DetectedIssue', 'DocumentReference', 'Patient', 'Consent', 'Task'] as const),
  );
  room.store.beforeWrite(completeMessage, 'Communication');
  room.store.beforeCommit(guardMessage, 'Communication');
  room.store.beforeCommit(guardDocument, 'Binary', 'DocumentReference');
  room.store.beforeWrite(keepProblem, 'DetectedIssue');
  const announcement = readAnnouncement();
  room.store.beforeWrite(completeAnnouncement, 'QuestionnaireResponse');
  room.store.beforeCommit((change, tx) => guardAnnouncement(announcement, change, tx), 'QuestionnaireResponse');
  for (const operation of talkOperations) room.store.registerOperation(operation);
  const publishing = createPublishing();
  const reasons = createReasons();
  room.store.beforeCommit((change, tx) => guardPeople(shell, reasons, change, tx), 'Practitioner', 'PractitionerRole');
  room.store.beforeCommit(checkProfessionalDocument);
  room.store.beforeCommit(
    (change, tx) => guardRota(shell, publishing, change, tx),
    'Schedule',
    'Slot',
    'HealthcareService',
  );
  for (const operation of [...peopleOperations(reasons), ...rotaOperations(shell, publishing)])
    room.store.registerOperation(operation);
  room.store.beforeCommit(guardContract, 'Contract');
  room.store.registerOperation(penaltiesOperation);
  room.store.onCommit((_changes, tx) => pending.checkNoneLeft(tx));
  const worklist = createWorklist(room);
  for (const operation of [...caseOperations(shell), worklist.operation]) room.store.registerOperation(operation);
  room.imaging.onStudy((event, tx) => onStudy(shell, event, tx));
  room.delivery.onOutcome((item, result, tx) => onOutcome(shell, item, result, tx));

  return {
    receiveRequest: (tx, request, establishmentId) => receiveRequest(shell, tx, request, establishmentId),
    cancelRequest: (tx, cancellation, establishmentId) => cancelRequest(shell, tx, cancellation, establishmentId),
    completeExam: (tx, exams, establishmentId) => completeExam(shell, tx, exams, establishmentId),
    async start() {
      await sweep.start();
      // Older cases take their places while new ones come.
      void worklist.start();
    },
    async stop() {
      await sweep.stop();
      await worklist.stop();
      await shell.refusals.settled();
    },
    sweep: sweep.sweep,
  };
}
