/** Ending sessions, one's own or, for administrators, somebody else's; the trail tells who ended how many of whose. */
import type { AccountRooms, Doing } from './rooms.ts';
import { endSession, endSessions } from './sessions.ts';

/** @param which one by its id, or all but one. @returns how many ended. */
export async function endAccountSessions(
  rooms: AccountRooms,
  { context, account }: Doing,
  which: { id?: string; exceptId?: string },
): Promise<number> {
  const { database, trail } = rooms;
  const { tenant, login, reference } = account;
  const ended = await database.transaction(tenant, (sql) =>
    which.id === undefined
      ? endSessions(sql, tenant, login, which.exceptId)
      : endSession(sql, { tenant, login, id: which.id }),
  );
  if (ended === 0) return 0;
  rooms.forgetCredentials();
  const reason = `${ended} ended`;
  await trail.accountSecurity(context, {
    kind: 'session-ended',
    account: { reference, login },
    outcome: 'success',
    reason,
  });
  return ended;
}
