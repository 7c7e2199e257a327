/** Buttons of the legal actions; those that need words open a dialog. */
import { Alert, Button } from '@mantine/core';
import type { Task } from '@medplum/fhirtypes';
import { type JSX, useState } from 'react';
import { messageOf } from '../fhir/problem.ts';
import { ActionDialog } from './action-dialog.tsx';
import { type CaseAction, offeredActions } from './actions.ts';
import type { Transitions } from './transitions.ts';
import { useOperation } from './use-operation.ts';

export function ActionBar({ task, legal, blocked }: { task: Task } & Transitions): JSX.Element {
  const operation = useOperation(task);
  const [why, setWhy] = useState<string>();
  const [asked, setAsked] = useState<CaseAction>();
  const run = (action: CaseAction, values: Record<string, string>): void =>
    operation.mutate({ name: action.name, parameters: values }, { onSuccess: () => setAsked(undefined) });
  const choose = (action: CaseAction): void => {
    operation.reset();
    setWhy(undefined);
    if (action.question === undefined) run(action, {});
    else setAsked(action);
  };

  return (
    <div className="actions">
      <fieldset className="group actions-buttons" aria-label="Actions sur le dossier">
        {offeredActions({ legal, blocked }).map((action) => (
          <Button
            key={action.name}
            size="compact-sm"
            color={action.tone === 'danger' ? 'red' : 'cyan'}
            variant={action.tone === 'main' ? 'filled' : 'default'}
            className={action.tone === 'danger' ? 'danger-button' : undefined}
            data-disabled={action.blockedBy === undefined ? undefined : true}
            aria-disabled={action.blockedBy === undefined ? undefined : true}
            title={action.blockedBy}
            loading={operation.isPending && operation.variables.name === action.name}
            onClick={() => (action.blockedBy === undefined ? choose(action) : setWhy(action.blockedBy))}
          >
            {action.label}
          </Button>
        ))}
      </fieldset>
      {why === undefined ? null : (
        <p className="held-back" role="status">
          {why}
        </p>
      )}
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
