/** The chat of a case: what was said, who has read it, and a place to answer. */
import type { Task } from '@medplum/fhirtypes';
import { type JSX, useEffect, useRef, useState } from 'react';
import { messageOf } from '../fhir/problem.ts';
import { ChatComposer } from './chat-composer.tsx';
import { ChatMessage } from './chat-message.tsx';
import { Panel } from './panel.tsx';
import { useChat } from './use-chat.ts';

/** @param mayAnswer whether the case waits for an answer that this person may give. */
export function ChatPanel({ task, mayAnswer }: { task: Task; mayAnswer: boolean }): JSX.Element | null {
  const { lines, send, markRead, canWrite, isShown } = useChat(task);
  const [answers, setAnswers] = useState<string>();
  const end = useRef<HTMLLIElement>(null);
  const talk = lines.data ?? [];
  const answered = talk.find(({ id }) => id === answers);
  const settles = mayAnswer && answered?.isQuestion === true;
  const unread = talk.filter((line) => line.isUnread).length;
  const { mutate: read, isPending } = markRead;

  // Read is what was on the screen: the end of the list is in view, on a page that is looked at.
  useEffect(() => {
    const last = end.current;
    if (unread === 0 || !canWrite || isPending || last === null) return;
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting) && document.visibilityState === 'visible') read();
    });
    watcher.observe(last);
    return () => watcher.disconnect();
  }, [unread, canWrite, isPending, read]);

  if (!isShown) return null;
  const note = unread === 0 ? undefined : `${unread} non lu${unread > 1 ? 's' : ''}`;
  return (
    <Panel title="Messages" note={note}>
      <ul className="chat" aria-label="Messages du dossier" aria-live="polite">
        {talk.map((line) => (
          <ChatMessage key={line.id} line={line} onAnswer={canWrite ? () => setAnswers(line.id) : undefined} />
        ))}
        <li ref={end} className="chat-end" aria-hidden="true" />
      </ul>
      {lines.isError ? (
        <p role="alert" className="inline-error">
          {messageOf(lines.error)}
        </p>
      ) : null}
      {canWrite ? (
        <ChatComposer
          answered={answered}
          settles={settles}
          onForgetAnswer={() => setAnswers(undefined)}
          pending={send.isPending}
          error={send.isError ? messageOf(send.error) : undefined}
          onSend={(draft) => send.mutateAsync({ ...draft, answers, settles }).then(() => setAnswers(undefined))}
        />
      ) : null}
    </Panel>
  );
}
