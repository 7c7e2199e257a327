/** Asks for what an action must be told. */
import { Alert, Button } from '@mantine/core';
import type { FormEvent, JSX } from 'react';
import { Dialog } from '../shell/dialog.tsx';
import { ActionInput } from './action-field.tsx';
import type { CaseAction } from './action-list.ts';
import { actionValues } from './actions.ts';

interface ActionDialogProps {
  action: CaseAction;
  pending: boolean;
  error: string | undefined;
  onClose(): void;
  onSubmit(values: Record<string, string | boolean>): void;
}

export function ActionDialog({ action, pending, error, onClose, onSubmit }: ActionDialogProps): JSX.Element {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    onSubmit(actionValues(action, new FormData(event.currentTarget)));
  };
  return (
    <Dialog onClose={onClose} title={action.question}>
      <form onSubmit={submit} className="stack">
        {action.fields.map((field, index) => (
          <ActionInput key={field.name} field={field} first={index === 0} />
        ))}
        {error === undefined ? null : (
          <Alert color="red" role="alert">
            {error}
          </Alert>
        )}
        <div className="dialog-buttons">
          <Button variant="default" onClick={onClose}>
            Fermer sans rien faire
          </Button>
          <Button type="submit" color={action.tone === 'danger' ? 'red' : 'cyan'} loading={pending}>
            {action.label}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
