/** Protocole: what the radiologist asks the technologist to do, or what was asked. */
import { Alert, Button, Textarea } from '@mantine/core';
import type { Task } from '@medplum/fhirtypes';
import { type FormEvent, type JSX, useState } from 'react';
import { messageOf } from '../fhir/problem.ts';
import { readingStates } from '../words/case-status.ts';
import type { CaseFacts } from './case-facts.ts';
import type { Exam } from './exam.ts';
import { Panel } from './panel.tsx';
import templates from './protocol-templates.json' with { type: 'json' };
import { templatesFor } from './protocol-templates.ts';
import { useOperation } from './use-operation.ts';

interface ProtocolPanelProps {
  task: Task;
  facts: CaseFacts;
  exam: Exam;
  editable: boolean;
}

const longestProtocol = 4000;

export function ProtocolPanel({ task, facts, exam, editable }: ProtocolPanelProps): JSX.Element | null {
  if (editable) return <ProtocolForm task={task} exam={exam} />;
  if (facts.protocols.length === 0) return null;
  return (
    <Panel title="Protocole" open={!readingStates.includes(facts.state)}>
      {facts.protocols.map((text) => (
        <p key={text} className="long-text">
          {text}
        </p>
      ))}
    </Panel>
  );
}

function ProtocolForm({ task, exam }: { task: Task; exam: Exam }): JSX.Element {
  const operation = useOperation(task);
  const [text, setText] = useState('');
  const offered = templatesFor(templates, exam).slice(0, 6);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // A blank line parts two protocols of one request.
    const texts = text
      .split(/\n\s*\n/)
      .map((one) => one.trim())
      .filter((one) => one !== '');
    operation.mutate({ name: 'protocol', parameters: { text: texts } });
  };
  return (
    <Panel title="Protocole" note="à établir">
      <form onSubmit={submit} className="stack">
        {offered.length > 0 ? (
          <fieldset className="group templates" aria-label="Modèles de protocole">
            {offered.map((one) => (
              <Button
                key={one.name}
                size="compact-xs"
                variant="default"
                onClick={() => setText((old) => (old.trim() === '' ? one.text : `${old.trimEnd()}\n\n${one.text}`))}
              >
                {one.name}
              </Button>
            ))}
          </fieldset>
        ) : null}
        <Textarea
          label="Protocole demandé au manipulateur"
          description="Une ligne vide sépare deux protocoles."
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autosize
          minRows={6}
          maxRows={16}
          maxLength={longestProtocol}
          required
        />
        {operation.isError ? (
          <Alert color="red" role="alert">
            {messageOf(operation.error)}
          </Alert>
        ) : null}
        <Button type="submit" loading={operation.isPending} disabled={text.trim() === ''}>
          Accepter et envoyer le protocole
        </Button>
      </form>
    </Panel>
  );
}
