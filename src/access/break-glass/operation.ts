/**
 * `Patient/[id]/$break-glass` and `Task/[id]/$break-glass`: opens a record of another establishment to its caller for a while. The
 * reason is compulsory, the trail says so with the purpose of use BTG, and the establishment is told at once.
 */
import { randomUUID } from 'node:crypto';
import type { Communication, Parameters, Patient, Task } from '@medplum/fhirtypes';
import { type Context, establishmentSystem, FhirError, type Operation, type OperationCall } from '../../fhir/index.ts';
import type { Activity } from '../audit/activity.ts';
import { refusal } from '../refusals.ts';
import { insertGlass } from './glass.ts';

export interface BreakGlassRooms {
  /** The machine's time. */
  now(): Date;
  recordActivity(context: Context, activity: Activity): Promise<void>;
  /** The account sees more from now on. */
  changed(account: string): void;
}

const shortestReason = 10;
const longestReason = 1_000;
const defaultMinutes = 60;
const longestMinutes = 240;

export function breakGlassOperations(rooms: BreakGlassRooms): Operation[] {
  return (['Patient', 'Task'] as const).map((type) => ({
    name: 'break-glass',
    type,
    level: 'instance',
    affectsState: true,
    run: (call) => breakGlass(rooms, type, call),
  }));
}

async function breakGlass(
  rooms: BreakGlassRooms,
  type: 'Patient' | 'Task',
  { tx, id = '', parameters }: OperationCall,
): Promise<Parameters> {
  const { context } = tx;
  const reason = reasonIn(parameters);
  const minutes = minutesIn(parameters);
  if (context.actor.kind !== 'person') {
    throw refusal(403, 'forbidden', {
      diagnostics: '$break-glass is for people',
      text: 'Seule une personne peut ouvrir un dossier en urgence.',
    });
  }
  // What is looked for is out of sight: that is the point.
  const target: Patient | Task = await tx.whole.read(type, id);
  const openedAt = rooms.now();
  const until = new Date(openedAt.getTime() + minutes * 60_000);
  const { tenant, actor } = context;
  const reference = `${type}/${id}`;
  await insertGlass(tx.sql, { tenant, id: randomUUID(), account: actor.account, reference, reason, openedAt, until });
  const told = await tx.whole.create(alertOf(context, target, reason, until));
  const patient = patientOf(target);
  await rooms.recordActivity(
    { ...context, purpose: 'BTG' },
    {
      kind: 'break-glass-start',
      reason,
      objects: [reference],
      ...(patient ? { patients: [patient] } : {}),
      details: { until: until.toISOString() },
    },
  );
  rooms.changed(actor.account);
  tx.afterCommit(() => rooms.changed(actor.account));
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'until', valueInstant: until.toISOString() },
      { name: 'alert', valueReference: { reference: `Communication/${told.id}` } },
    ],
  };
}

/** Labelled like what it is about: its establishments read it. */
function alertOf(context: Context, target: Patient | Task, reason: string, until: Date): Communication {
  const { actor } = context;
  const reference = `${target.resourceType}/${target.id}`;
  const security = (target.meta?.security ?? []).filter(({ system }) => system === establishmentSystem);
  const [day, time] = [{ dateStyle: 'short' }, { timeStyle: 'short' }].map((style) =>
    new Intl.DateTimeFormat('fr-FR', { ...style, timeZone: 'Europe/Paris' } as Intl.DateTimeFormatOptions).format(
      until,
    ),
  );
  return {
    resourceType: 'Communication',
    ...(security.length > 0 ? { meta: { security } } : {}),
    status: 'completed',
    priority: 'urgent',
    category: [
      {
        coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/communication-category', code: 'break-glass' }],
      },
    ],
    ...(reference.startsWith('Patient/') ? { subject: { reference } } : {}),
    about: [{ reference }],
    ...(actor.reference.startsWith('Practitioner/')
      ? { sender: { reference: actor.reference, display: actor.display } }
      : {}),
    sent: context.now().toISOString(),
    payload: [{ contentString: `Accès en urgence par ${actor.display} jusqu’au ${day} à ${time}. Motif : ${reason}` }],
  };
}

function patientOf(target: Patient | Task): string | undefined {
  return target.resourceType === 'Patient' ? `Patient/${target.id}` : target.for?.reference;
}

function reasonIn({ parameter = [] }: Parameters): string {
  const reason = parameter.find(({ name }) => name === 'reason')?.valueString?.trim() ?? '';
  if (reason.length >= shortestReason && reason.length <= longestReason) return reason;
  throw FhirError.of(400, [
    {
      severity: 'error',
      code: 'required',
      diagnostics: `reason: ${shortestReason} to ${longestReason} characters`,
      details: { text: `Indiquez le motif de l’accès en urgence (${shortestReason} caractères au moins).` },
      expression: ["Parameters.parameter.where(name = 'reason')"],
    },
  ]);
}

function minutesIn({ parameter = [] }: Parameters): number {
  const minutes = parameter.find(({ name }) => name === 'minutes');
  if (!minutes) return defaultMinutes;
  const asked = minutes.valueInteger ?? minutes.valuePositiveInt ?? Number.NaN;
  if (Number.isInteger(asked) && asked >= 1 && asked <= longestMinutes) return asked;
  throw new FhirError(400, 'value', `minutes: 1 to ${longestMinutes}`, "Parameters.parameter.where(name = 'minutes')");
}
