/** Buttons of the legal actions; those that need words open a dialog, the rare ones are folded away. */
import { Alert, Button } from '@mantine/core';
import type { DiagnosticReport, Task } from '@medplum/fhirtypes';
import { type JSX, useState } from 'react';
import { FhirProblem, guardOf, issueText, messageOf } from '../fhir/problem.ts';
import { ActionDialog } from './action-dialog.tsx';
import { type CaseAction, withReason } from './action-list.ts';
import { type OfferedAction, offeredActions } from './actions.ts';
import type { Transitions } from './transitions.ts';
import { useReport } from './use-case.ts';
import { useOperation } from './use-operation.ts';

export function ActionBar({ task, legal, blocked }: { task: Task } & Transitions): JSX.Element {
  const operation = useOperation(task);
  const report = useReport(task).data;
  const [why, setWhy] = useState<string>();
  const [asked, setAsked] = useState<CaseAction>();
  const run = (action: CaseAction, values: Record<string, string | boolean>): void =>
    operation.mutate(
      { name: action.name, parameters: { ...values, ...shownVersion(action, report) } },
      {
        onSuccess: () => setAsked(undefined),
        onError: (error) => {
          const again = withReason(action, guardOf(error), refusalText(error));
          if (again === undefined) return;
          operation.reset();
          setAsked(again);
        },
      },
    );
  const choose = (action: OfferedAction): void => {
    operation.reset();
    setWhy(action.blockedBy);
    if (action.blockedBy !== undefined) return;
    if (action.question === undefined) run(action, {});
    else setAsked(action);
  };
  const offered = offeredActions({ legal, blocked });
  const button = (action: OfferedAction): JSX.Element => (
    <ActionButton
      key={action.name}
      action={action}
      pending={operation.isPending && operation.variables.name === action.name}
      onChoose={() => choose(action)}
    />
  );
  const rare = offered.filter((action) => action.rare);

  return (
    <div className="actions">
      <fieldset className="group actions-buttons" aria-label="Actions sur le dossier">
        {offered.filter((action) => !action.rare).map(button)}
      </fieldset>
      {rare.length > 0 ? (
        <details className="rare-actions">
          <summary>Autres actions</summary>
          <fieldset className="group actions-buttons" aria-label="Autres actions sur le dossier">
            {rare.map(button)}
          </fieldset>
        </details>
      ) : null}
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

/** Said to be read is the version on the screen, and not one that was signed meanwhile. */
function shownVersion({ name }: CaseAction, report: DiagnosticReport | null | undefined): Record<string, string> {
  if (name !== 'report-received' || !report) return {};
  return { report: `DiagnosticReport/${report.id}/_history/${report.meta?.versionId}` };
}

function refusalText(error: unknown): string {
  return error instanceof FhirProblem ? error.issues.map(issueText).join(' ') : messageOf(error);
}

interface ActionButtonProps {
  action: OfferedAction;
  pending: boolean;
  onChoose(): void;
}

/** One that is held back stays reachable: pressing it says why. */
function ActionButton({ action, pending, onChoose }: ActionButtonProps): JSX.Element {
  const heldBack = action.blockedBy === undefined ? undefined : true;
  return (
    <Button
      size="compact-sm"
      color={action.tone === 'danger' ? 'red' : 'cyan'}
      variant={action.tone === 'main' ? 'filled' : 'default'}
      className={action.tone === 'danger' ? 'danger-button' : undefined}
      data-disabled={heldBack}
      aria-disabled={heldBack}
      title={action.blockedBy}
      loading={pending}
      onClick={onChoose}
    >
      {action.label}
    </Button>
  );
}
