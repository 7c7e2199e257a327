/** Asks for what an action must be told. */
import { Alert, Button, Modal, Textarea, TextInput } from '@mantine/core';
import type { FormEvent, JSX } from 'react';
import type { CaseAction } from './actions.ts';

interface ActionDialogProps {
  action: CaseAction;
  pending: boolean;
  error: string | undefined;
  onClose(): void;
  onSubmit(values: Record<string, string>): void;
}

const longestText = 4000;

export function ActionDialog({ action, pending, error, onClose, onSubmit }: ActionDialogProps): JSX.Element {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onSubmit(Object.fromEntries(action.fields.map(({ name }) => [name, String(form.get(name) ?? '').trim()])));
  };
  return (
    <Modal opened onClose={onClose} title={action.question}>
      <form onSubmit={submit} className="stack">
        {action.fields.map((field, index) =>
          field.long ? (
            <Textarea
              key={field.name}
              name={field.name}
              label={field.label}
              required
              autosize
              minRows={3}
              maxLength={longestText}
              data-autofocus={index === 0 || undefined}
            />
          ) : (
            <TextInput
              key={field.name}
              name={field.name}
              label={field.label}
              required
              maxLength={200}
              data-autofocus={index === 0 || undefined}
            />
          ),
        )}
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
    </Modal>
  );
}
