/** A domain that keeps what it is told: in memory for the test, and as resources in the caller's transaction. */
import type { Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../../src/fhir/index.ts';
import type {
  ExamComplement,
  IncomingCancellation,
  IncomingRequest,
  Teleradiology,
} from '../../../src/teleradiology/contract.ts';

export interface Recording extends Teleradiology {
  requests: IncomingRequest[];
  cancellations: IncomingCancellation[];
  complements: ExamComplement[][];
  establishments: string[];
  /** What the sender is told beside AA. */
  notice: string | undefined;
  /** Called inside the transaction, before the domain answers. */
  before: ((tx: FhirTransaction) => Promise<void> | void) | undefined;
}

export function recordingTeleradiology(): Recording {
  async function store(tx: FhirTransaction, value: string, establishmentId: string): Promise<Task> {
    recording.establishments.push(establishmentId);
    await recording.before?.(tx);
    return tx.create<Task>({
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      identifier: [{ system: 'urn:test:told', value }],
    });
  }
  const recording: Recording = {
    requests: [],
    cancellations: [],
    complements: [],
    establishments: [],
    notice: undefined,
    before: undefined,
    async receiveRequest(tx, request, establishmentId) {
      recording.requests.push(request);
      return {
        task: await store(tx, request.serviceRequest.identifier?.[0]?.value ?? '', establishmentId),
        created: true,
        ...(recording.notice === undefined ? {} : { notice: recording.notice }),
      };
    },
    async cancelRequest(tx, cancellation, establishmentId) {
      if (cancellation.placer.value === 'UNKNOWN') throw new FhirError(404, 'not-found', 'Demande inconnue');
      recording.cancellations.push(cancellation);
      const refused = cancellation.placer.value === 'DONE' ? 'Examen réalisé.' : undefined;
      const task = await store(tx, cancellation.placer.value ?? '', establishmentId);
      return { task, ...(refused ? { refused } : {}) };
    },
    async completeExam(tx, exams, establishmentId) {
      recording.complements.push(exams);
      return store(tx, exams[0]?.placer.value ?? '', establishmentId);
    },
  };
  return recording;
}
