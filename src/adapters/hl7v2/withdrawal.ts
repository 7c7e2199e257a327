/** Withdrawal of a report the establishment received: what it is about is read from the delivery that brought it, as it was sent. */
import type { Task } from '@medplum/fhirtypes';
import type { DeliveryItem } from '../../delivery/contract.ts';
import type { FhirTransaction } from '../../fhir/index.ts';
import { IncompleteCase, idOf, inputs, readCaseData, readCda } from './case-data.ts';
import { decode } from './charset.ts';
import { type Document, type PatientLines, writeDocument } from './document-writer.ts';
import { findOutgoing } from './message-store.ts';
import type { Route } from './ris-route.ts';
import type { Envelope } from './segment-writer.ts';
import type { Tables } from './tables.ts';
import { writeWrongResult } from './wrong-result-writer.ts';

const deliverySystem = 'https://fhir.passerelle.example/sid/delivery';

/** Kinds of items that withdraw what another one brought. */
export function isWithdrawal(kind: string): boolean {
  return kind.startsWith('withdrawal-');
}

/** @throws IncompleteCase. */
export async function renderWithdrawal(
  tx: FhirTransaction,
  item: DeliveryItem,
  envelope: Envelope,
  tables: Tables,
  route: Route,
) {
  const report = await withdrawnDelivery(tx, item);
  const data = await readCaseData(tx, { ...item, kind: 'report', task: `Task/${report.id}` });
  const document: Document = { ...(await readCda(tx, data)), withdrawn: true };
  const asSent = await patientAsSent(tx, report, item);
  const { read } = data;
  if (item.kind === 'withdrawal-result') return { ...writeWrongResult(data, document, envelope, tables, asSent), read };
  const form = item.kind === 'withdrawal-oru' ? 'oru' : 'mdm';
  return { ...writeDocument(form, data, document, envelope, tables, route.site.flags, asSent), read };
}

async function withdrawnDelivery(tx: FhirTransaction, item: DeliveryItem): Promise<Task> {
  const child = idOf(item.task, 'Task');
  const task = child === undefined ? undefined : await tx.find('Task', child);
  const id = idOf(task && inputs(task, 'withdraws')[0]?.valueReference?.reference, 'Task');
  const report = id === undefined ? undefined : await tx.find('Task', id);
  if (report === undefined) throw new IncompleteCase('L’envoi à annuler est introuvable.');
  return report;
}

/**
 * PID and PV1 of the message that brought the report: the other side finds it under the identity it was given, whatever was corrected since.
 * Undefined when that message is no longer kept: then the case as it is must do.
 */
async function patientAsSent(tx: FhirTransaction, report: Task, item: DeliveryItem): Promise<PatientLines | undefined> {
  const controlId = report.identifier?.find(({ system }) => system === deliverySystem)?.value;
  const organization = idOf(report.owner?.reference, 'Organization');
  if (controlId === undefined || organization === undefined) return undefined;
  const sent = await findOutgoing(tx.sql, item.tenant, organization, controlId);
  if (sent === undefined) return undefined;
  const lines = decode(sent.raw).text.split('\r');
  const pid = lines.find((line) => line.startsWith('PID|'));
  const pv1 = lines.find((line) => line.startsWith('PV1|'));
  return pid === undefined || pv1 === undefined ? undefined : { pid, pv1 };
}
