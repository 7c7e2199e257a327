/** Buttons of the legal actions; those that need words open a dialog. */
import { Alert, Button } from '@mantine/core';
import type { Task } from '@medplum/fhirtypes';
import { type JSX, useState } from 'react';
import { messageOf } from '../fhir/problem.ts';
import { ActionDialog } from './action-dialog.tsx';
import { type CaseAction, offeredActions } from './actions.ts';
import { useOperation } from './use-operation.ts';

export function ActionBar({ task, transitions }: { task: Task; transitions: readonly string[] }): JSX.Element {
  const operation = useOperation(task);
  const [asked, setAsked] = useState<CaseAction>();
  const run = (action: CaseAction, values: Record<string, string>): void =>
    operation.mutate({ name: action.name, parameters: values }, { onSuccess: () => setAsked(undefined) });
  const choose = (action: CaseAction): void => {
    operation.reset();
    if (action.question === undefined) run(action, {});
    else setAsked(action);
  };

  return (
    <div className="actions">
      <div className="actions-buttons" role="group" aria-label="Actions sur le dossier">
        {offeredActions(transitions).map((action) => (
          <Button
            key={action.name}
            size="compact-sm"
            color={action.tone === 'danger' ? 'red' : 'cyan'}
            variant={action.tone === 'main' ? 'filled' : 'default'}
            className={action.tone === 'danger' ? 'danger-button' : undefined}
            loading={operation.isPending && operation.variables.name === action.name}
            onClick={() => choose(action)}
          >
            {action.label}
          </Button>
        ))}
      </div>
      {operation.isError && asked === undefined ? (
        <Alert color="red" role="alert">
          {messageOf(operation.error)}
        </Alert>
      ) : null}
      {asked ? (
        <ActionDialog
          action={asked}
          pending={operation.isPending}
          error={operation.isError ? messageOf(operation.error) : undefined}
          onClose={() => setAsked(undefined)}
          onSubmit={(values) => run(asked, values)}
        />
      ) : null}
    </div>
  );
}
