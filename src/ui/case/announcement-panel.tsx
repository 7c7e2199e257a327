/** Checklist of a serious diagnosis, filled in by the reader and the physician who asked, in turn; closed when what is owed is done. */
import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import type { QuestionnaireResponse, Task } from '@medplum/fhirtypes';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { found, literalReference } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { useSession } from '../session/session-context.tsx';
import { frenchDateTime } from '../time/format.ts';
import { type Answers, announcementUrl, answersOf, groupsOf, type Question, responseOf } from './announcement.ts';
import { Panel } from './panel.tsx';

/** Roles whose policy lets them fill it in. */
const physicians: readonly string[] = ['radiologist', 'requester'];

export function AnnouncementPanel({ task }: { task: Task }): JSX.Element | null {
  const { client } = useServices();
  const session = useSession();
  const [isOpen, setOpen] = useState(false);
  const request = literalReference(task.focus);
  const mayFill = session.roles.some((role) => physicians.includes(role)) && request !== undefined;
  const known = useQuery({
    queryKey: ['announcement', task.id],
    queryFn: async ({ signal }) => {
      const query = `based-on=${request}&questionnaire=${encodeURIComponent(announcementUrl)}&_sort=-authored&_count=1`;
      const bundle = await client.search('QuestionnaireResponse', query, signal);
      return found(bundle).all('QuestionnaireResponse')[0] ?? null;
    },
    enabled: mayFill,
  });
  if (!mayFill || known.data === undefined) return null;
  const stored = known.data ?? undefined;
  const note = stored ? (stored.status === 'completed' ? 'close' : 'en cours') : undefined;
  return (
    <Panel title="Annonce d’un diagnostic grave" note={note} open={stored?.status === 'in-progress'}>
      {stored || isOpen ? (
        <Checklist key={stored?.meta?.versionId ?? 'nouvelle'} task={task} stored={stored} />
      ) : (
        <Button size="compact-sm" variant="default" onClick={() => setOpen(true)}>
          Ouvrir la liste de vérification
        </Button>
      )}
    </Panel>
  );
}

function Checklist({ task, stored }: { task: Task; stored: QuestionnaireResponse | undefined }): JSX.Element | null {
  const { client } = useServices();
  const queries = useQueryClient();
  const [answers, setAnswers] = useState<Answers>(() => answersOf(stored));
  const isClosed = stored?.status === 'completed';
  const questionnaire = useQuery({
    queryKey: ['questionnaire', 'serious-announcement'],
    queryFn: ({ signal }) => client.read('Questionnaire', 'serious-announcement', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const groups = questionnaire.data ? groupsOf(questionnaire.data) : [];
  const save = useMutation({
    mutationFn: (closing: boolean) => {
      const response = responseOf(task, groups, answers, stored, closing);
      return stored ? client.update(response) : client.create(response);
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['announcement', task.id] }),
  });
  const error = questionnaire.error ?? save.error;
  const set = (linkId: string, value: string | true | undefined): void => {
    const { [linkId]: _former, ...others } = answers;
    setAnswers(value === undefined ? others : { ...others, [linkId]: value });
  };
  return (
    <div className="stack">
      {groups.map((group) => (
        <fieldset key={group.linkId} className="group stack" disabled={isClosed}>
          {group.title === '' ? null : <legend>{group.title}</legend>}
          {group.questions.map((question) => (
            <Field
              key={question.linkId}
              question={question}
              value={answers[question.linkId]}
              onChange={(value) => set(question.linkId, value)}
            />
          ))}
        </fieldset>
      ))}
      {error ? (
        <p role="alert" className="inline-error">
          {messageOf(error)}
        </p>
      ) : null}
      {stored ? (
        <p className="muted">
          {isClosed ? 'Close' : 'Enregistrée'} par {stored.author?.display} le {frenchDateTime(stored.authored)}
        </p>
      ) : null}
      {isClosed || groups.length === 0 ? null : (
        <div className="dialog-buttons">
          <Button size="compact-sm" variant="default" loading={save.isPending} onClick={() => save.mutate(false)}>
            Enregistrer
          </Button>
          <Button size="compact-sm" loading={save.isPending} onClick={() => save.mutate(true)}>
            Clore la liste
          </Button>
        </div>
      )}
    </div>
  );
}

interface FieldProps {
  question: Question;
  value: string | true | undefined;
  onChange(value: string | true | undefined): void;
}

function Field({ question, value, onChange }: FieldProps): JSX.Element {
  const label = question.isOwed ? `${question.text} (nécessaire)` : question.text;
  const text = typeof value === 'string' ? value : '';
  const limit = question.maxLength === undefined ? {} : { maxLength: question.maxLength };
  switch (question.type) {
    case 'boolean':
      return (
        <Checkbox
          label={label}
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked ? true : undefined)}
        />
      );
    case 'dateTime':
      return (
        <TextInput
          type="datetime-local"
          label={label}
          value={localTime(text)}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        />
      );
    case 'text':
      return (
        <Textarea
          label={label}
          value={text}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
          autosize
          minRows={2}
          {...limit}
        />
      );
    case 'string':
      return (
        <TextInput
          label={label}
          value={text}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
          {...limit}
        />
      );
  }
}

/** An instant as the field shows it, in the time of this machine; what is being typed stays as it is. */
function localTime(text: string): string {
  if (!text.endsWith('Z')) return text;
  const moment = new Date(text);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
