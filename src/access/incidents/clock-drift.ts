/** A trail on a wrong clock proves nothing (SE-6): the machine's clock against the database's and against its own steady one. */
import type { Clock } from '../../config/index.ts';
import { type Database, platformTenant } from '../../db/index.ts';
import type { Occurrence } from './incident.ts';

/** More than this between two clocks is an incident. */
const driftLimitMs = 2_000;

/** Where the clocks stood at the look before. */
export interface ClockMarks {
  wall: number;
  steady: number;
}

export interface DriftLook {
  occurrence?: Occurrence;
  marks: ClockMarks;
}

/** @param steady milliseconds of a clock nobody sets. */
export async function lookAtClocks(
  database: Database,
  clock: Clock,
  before: ClockMarks | undefined,
  steady: () => number = () => performance.now(),
): Promise<DriftLook> {
  const begun = { wall: clock.now().getTime(), steady: steady() };
  const { rows } = await database.query<{ now: Date }>(platformTenant, 'SELECT clock_timestamp() AS now');
  const roundTrip = steady() - begun.steady;
  const databaseMs = rows[0]!.now.getTime();
  // The database read its clock somewhere during the round trip.
  const apart = databaseMs - (begun.wall + roundTrip / 2);
  const jumped = before ? begun.wall - before.wall - (begun.steady - before.steady) : 0;
  const marks = begun;
  if (Math.abs(apart) > driftLimitMs + roundTrip / 2) {
    return { marks, occurrence: drift('database', `Écart avec l’horloge de la base : ${seconds(apart)} s`) };
  }
  if (Math.abs(jumped) > driftLimitMs) {
    return { marks, occurrence: drift('jump', `Saut de l’horloge du serveur : ${seconds(jumped)} s`) };
  }
  return { marks };
}

function drift(subject: string, detail: string): Occurrence {
  return { kind: 'clock-drift', subject, detail };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1).replace('.', ',');
}
