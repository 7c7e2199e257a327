/** On which days an account was used: one small row per account and day, whatever it did then. */
import type { Database } from '../../db/index.ts';
import type { CredentialRecogniser } from '../recognise.ts';
import { parisDay } from './period.ts';

const rememberedAtMost = 20_000;

/** Notes that an account was used now; asks the database once per account and day. */
export type NoteUse = (tenant: string, login: string, now: Date) => Promise<void>;

export function createUseNotes(database: Database): NoteUse {
  const noted = new Set<string>();
  return async (tenant, login, now) => {
    const day = parisDay(now);
    const key = `${tenant} ${login} ${day}`;
    if (noted.has(key)) return;
    await database.query(
      tenant,
      'INSERT INTO account_use (tenant, login, day) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [tenant, login, day],
    );
    if (noted.size >= rememberedAtMost) noted.clear();
    noted.add(key);
  };
}

/** The same recogniser; who is recognised used the account that day. */
export function notingUse(recogniser: CredentialRecogniser, noteUse: NoteUse): CredentialRecogniser {
  return {
    ...recogniser,
    async identify(presented, now) {
      const identified = await recogniser.identify(presented, now);
      if (identified) await noteUse(identified.tenant, identified.actor.account, now);
      return identified;
    },
  };
}
