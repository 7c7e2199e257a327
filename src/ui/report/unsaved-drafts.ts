/**
 * Words not yet on the server, in memory only, by person and case: a session that expires takes the editor off the screen, and must
 * not take the words with it.
 */
import type { Draft } from './chapters.ts';

export interface UnsavedDrafts {
  get(account: string, caseId: string): Draft | undefined;
  keep(account: string, caseId: string, draft: Draft): void;
  forget(account: string, caseId: string): void;
  /** A save under way: leaving waits for it. */
  track(saving: Promise<unknown>): void;
  /** Resolves when the saves under way have ended, well or not. */
  settled(): Promise<void>;
}

export function createUnsavedDrafts(): UnsavedDrafts {
  const drafts = new Map<string, Draft>();
  const saving = new Set<Promise<unknown>>();
  const key = (account: string, caseId: string): string => `${account} ${caseId}`;
  return {
    get: (account, caseId) => drafts.get(key(account, caseId)),
    keep: (account, caseId, draft) => void drafts.set(key(account, caseId), draft),
    forget: (account, caseId) => void drafts.delete(key(account, caseId)),
    track: (promise) => {
      const ended: Promise<unknown> = promise.then(
        () => saving.delete(ended),
        () => saving.delete(ended),
      );
      saving.add(ended);
    },
    settled: async () => {
      await Promise.all(saving);
    },
  };
}
