/** Reviews nobody made in time become an incident (SE-7, SE-10). */
import type { Database } from '../../db/index.ts';
import type { Occurrence } from '../incidents/index.ts';
import { daysBetween, lastPeriod, parisDay, patienceDays, type ReviewKind } from './period.ts';
import { undecided } from './review.ts';

const kinds: readonly ReviewKind[] = ['use', 'need'];

/** @returns an occurrence for each review of this tenant that is late. */
export async function overdueReviews(database: Database, tenant: string, now: Date): Promise<Occurrence[]> {
  const late: Occurrence[] = [];
  for (const kind of kinds) {
    const period = lastPeriod(kind, now);
    if (daysBetween(period.to, parisDay(now)) <= patienceDays) continue;
    const open = await undecided(database, tenant, period);
    if (open === 0) continue;
    late.push({
      kind: 'review-overdue',
      subject: `${kind} ${period.name}`,
      detail: `Période ${period.name} : ${open} compte(s) sans décision`,
    });
  }
  return late;
}

/** The same of every tenant, each occurrence with its tenant. */
export async function overdueReviewsOfAll(database: Database, now: Date): Promise<[string, Occurrence][]> {
  const found: [string, Occurrence][] = [];
  for (const tenant of await database.tenants()) {
    for (const occurrence of await overdueReviews(database, tenant, now)) found.push([tenant, occurrence]);
  }
  return found;
}
