/** The talk about a case: told by the server while the line is there, asked for now and then beside. */
import type { Task } from '@medplum/fhirtypes';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { found, literalReference } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { systems } from '../fhir/systems.ts';
import { useTopic } from '../live/use-topic.ts';
import { mayRead } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { pollMs } from '../shell/query-client.ts';
import { type ChatLine, chatLines, type Draft, mayWrite, messageOf, talkCategories } from './chat.ts';
import { operate } from './use-operation.ts';

/** Receipts of others are told by nobody: they are looked at in passing. */
const calmPollMs = 8 * pollMs;
const mostLines = 200;

export function useChat(task: Task) {
  const { client } = useServices();
  const session = useSession();
  const queries = useQueryClient();
  const request = literalReference(task.focus);
  const enabled = mayRead(session, 'Communication') && request !== undefined;
  const queryKey = ['chat', task.id];
  const refetch = (): void => void queries.invalidateQueries({ queryKey });
  const isLive = useTopic(systems.messageSent, refetch, enabled);
  const lines = useQuery({
    queryKey,
    queryFn: async ({ signal }): Promise<ChatLine[]> => {
      const categories = talkCategories.map((code) => `${systems.communicationCategory}|${code}`).join(',');
      const query = `based-on=${request}&category=${encodeURIComponent(categories)}&_sort=-sent&_count=${mostLines}`;
      const bundle = await client.search('Communication', query, signal);
      return chatLines(task, found(bundle).all('Communication'), session);
    },
    enabled,
    refetchInterval: isLive ? calmPollMs : 2 * pollMs,
  });
  const send = useMutation({
    mutationFn: async ({ settles, ...draft }: Draft & { settles: boolean }) => {
      const write = (message: Draft) =>
        client.create(
          messageOf(task, message),
          `identifier=${encodeURIComponent(`${systems.message}|${message.key}`)}`,
        );
      if (!settles) return write(draft);
      // A message alone would leave the case waiting for an answer that everybody can read.
      if (draft.files.length > 0) await write({ ...draft, text: '' });
      const answer = draft.text.trim() === '' ? 'Voir le fichier joint.' : draft.text.trim();
      return operate(client, task, { name: 'answer', parameters: { answer } });
    },
    onSuccess: () =>
      queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'worklist' || queryKey[1] === task.id }),
  });
  const markRead = useMutation({
    mutationFn: () => client.operate(`Task/${task.id}/$read-messages`, { resourceType: 'Parameters' }),
    onSuccess: refetch,
  });
  const canWrite = enabled && mayWrite(session);
  return { lines, send, markRead, canWrite, isShown: enabled };
}
