/** Ending sessions, one's own or, for administrators, somebody else's; the trail tells who ended how many of whose. */
import type { AccountRooms, Doing } from './rooms.ts';
import { endSession, endSessions } from './sessions.ts';

/** @param which one by its id, or all but one and every application that was let in. @returns how many sessions ended. */
export async function endAccountSessions(
  rooms: AccountRooms,
  { context, account }: Doing,
  which: { id?: string; exceptId?: string },
): Promise<number> {
  const { database, trail } = rooms;
  const { tenant, login, reference } = account;
  const { sessions, applications } = await database.transaction(tenant, async (sql) =>
    which.id === undefined
      ? endSessions(sql, tenant, login, which.exceptId)
      : { sessions: await endSession(sql, { tenant, login, id: which.id }), applications: 0 },
  );
  if (sessions + applications === 0) return 0;
  rooms.forgetCredentials();
  const reason = `${sessions} ended${applications > 0 ? `, ${applications} of applications` : ''}`;
  await trail.accountSecurity(context, {
    kind: 'session-ended',
    account: { reference, login },
    outcome: 'success',
    reason,
  });
  return sessions;
}
