/** The draft being written: what is on the screen, what the server has, and saving by itself after a pause. */
import type { DiagnosticReport, Task } from '@medplum/fhirtypes';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { parametersOf } from '../fhir/parameters.ts';
import { messageOf } from '../fhir/problem.ts';
import { useSession } from '../session/session-context.tsx';
import { type Draft, draftValues, emptyDraft, sameDraft } from './chapters.ts';

/** Pause in typing after which the draft is saved. */
const autosaveMs = 1_500;
/** Delay before a failed save is tried again. */
const retryMs = 5_000;

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'failed';

export interface DraftEditor {
  draft: Draft;
  change(next: Draft): void;
  state: SaveState;
  /** Why the last save failed. */
  error: string | undefined;
  /** Saves what is on the screen now; true once the server has it. */
  flush(): Promise<boolean>;
}

/**
 * @param initial proposed while the server has no draft: saved like anything typed.
 * @param enabled whether the person may write; false stops saving.
 * @param kept where the page keeps what was read: the `report` itself, or a `draft` beside a published one.
 */
export function useDraft(
  task: Task,
  initial: Draft,
  stored: Draft | undefined,
  enabled: boolean,
  kept: 'report' | 'draft',
): DraftEditor {
  const { client, drafts } = useServices();
  const { account } = useSession();
  const queries = useQueryClient();
  const [draft, setDraft] = useState(() => drafts.get(account, task.id ?? '') ?? stored ?? initial);
  const latest = useRef(draft);
  const saved = useRef(stored ?? emptyDraft());
  const [state, setState] = useState<SaveState>(() => (sameDraft(latest.current, saved.current) ? 'saved' : 'unsaved'));
  const [error, setError] = useState<string>();
  const running = useRef<Promise<boolean>>(undefined);

  const save = useCallback(async (): Promise<boolean> => {
    while (!sameDraft(latest.current, saved.current)) {
      const sent = latest.current;
      setState('saving');
      try {
        const report = await client.operate<DiagnosticReport>(
          `Task/${task.id}/$save-draft`,
          parametersOf(draftValues(sent)),
        );
        // The page opened again must start from what was just saved, not from what was read before.
        queries.setQueriesData({ queryKey: [kept, task.id] }, report);
      } catch (problem) {
        setState('failed');
        setError(messageOf(problem));
        return false;
      }
      saved.current = sent;
    }
    drafts.forget(account, task.id ?? '');
    setError(undefined);
    setState('saved');
    return true;
  }, [client, queries, drafts, account, task.id, kept]);

  // One save at a time: two would race, and the older text could win.
  const flush = useCallback((): Promise<boolean> => {
    const next = (running.current ?? Promise.resolve(true)).then(save);
    running.current = next;
    drafts.track(next);
    return next;
  }, [drafts, save]);

  const change = useCallback(
    (next: Draft): void => {
      latest.current = next;
      drafts.keep(account, task.id ?? '', next);
      setDraft(next);
      setState(sameDraft(next, saved.current) ? 'saved' : 'unsaved');
    },
    [drafts, account, task.id],
  );

  useEffect(() => {
    if (!enabled || state === 'saving' || sameDraft(draft, saved.current)) return;
    const timer = setTimeout(() => void flush(), state === 'failed' ? retryMs : autosaveMs);
    return () => clearTimeout(timer);
  }, [enabled, state, draft, flush]);

  const mayWrite = useRef(enabled);
  mayWrite.current = enabled;
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      if (mayWrite.current && !sameDraft(latest.current, saved.current)) event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => {
      window.removeEventListener('beforeunload', warn);
      // Leaving the page inside the application must not lose the last words.
      if (mayWrite.current && !sameDraft(latest.current, saved.current)) void flush();
    };
  }, [flush]);

  return { draft, change, state, error, flush };
}
