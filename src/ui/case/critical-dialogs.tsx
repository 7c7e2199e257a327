/** Declaring a critical result, and saying it back. */
import { Alert, Button, Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, type JSX, type ReactNode, useState } from 'react';
import { Dialog } from '../shell/dialog.tsx';
import { criticalCategories } from './critical.ts';

interface DialogState {
  pending: boolean;
  error: string | undefined;
  onClose(): void;
  onSubmit(values: Record<string, string>): void;
}

const longestText = 4000;
const entered = (form: FormData, name: string): string => String(form.get(name) ?? '').trim();

function FormDialog({
  title,
  action,
  state,
  read,
  children,
}: {
  title: string;
  action: string;
  state: DialogState;
  read(form: FormData): Record<string, string>;
  children: ReactNode;
}): JSX.Element {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const values = Object.entries(read(new FormData(event.currentTarget))).filter(([, value]) => value !== '');
    state.onSubmit(Object.fromEntries(values));
  };
  return (
    <Dialog onClose={state.onClose} title={title}>
      <form className="stack" onSubmit={submit}>
        {children}
        {state.error === undefined ? null : (
          <Alert color="red" role="alert">
            {state.error}
          </Alert>
        )}
        <div className="dialog-buttons">
          <Button variant="default" onClick={state.onClose}>
            Fermer sans rien faire
          </Button>
          <Button type="submit" color="red" loading={state.pending}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function DeclareDialog(state: DialogState): JSX.Element {
  return (
    <FormDialog
      title="Déclarer un résultat critique"
      action="Déclarer et prévenir"
      state={state}
      read={(form) => ({ finding: entered(form, 'finding'), category: entered(form, 'category') })}
    >
      <Textarea
        name="finding"
        label="Résultat, tel qu’il doit être redit"
        description="Ce qui est trouvé, et où. Le demandeur le redira, ou confirmera cette phrase."
        required
        autosize
        minRows={2}
        maxLength={longestText}
        data-autofocus
      />
      <NativeSelect name="category" label="Délai pour être entendu" data={[...criticalCategories]} />
    </FormDialog>
  );
}

interface AcknowledgeDialogProps extends DialogState {
  finding: string;
  /** Recorded by the reader or a coordinator, with who answered. */
  byTelephone: boolean;
}

export function AcknowledgeDialog({ finding, byTelephone, ...state }: AcknowledgeDialogProps): JSX.Element {
  const [isConfirmed, setConfirmed] = useState(false);
  return (
    <FormDialog
      title={byTelephone ? 'Résultat critique annoncé par téléphone' : 'Accuser prise en compte du résultat critique'}
      action={byTelephone ? 'Consigner l’appel' : 'J’ai compris'}
      state={state}
      read={(form) => ({
        'read-back': isConfirmed ? finding : entered(form, 'read-back'),
        with: entered(form, 'with'),
        number: entered(form, 'number'),
      })}
    >
      <p>
        <strong>{finding}</strong>
      </p>
      {byTelephone ? (
        <>
          <TextInput name="with" label="Qui a répondu (nom et fonction)" required maxLength={200} data-autofocus />
          <TextInput name="number" type="tel" label="Numéro appelé" maxLength={40} />
        </>
      ) : null}
      <Checkbox
        label={byTelephone ? 'Mon interlocuteur a redit cette phrase' : 'Je confirme avoir compris cette phrase'}
        checked={isConfirmed}
        onChange={({ currentTarget }) => setConfirmed(currentTarget.checked)}
      />
      {isConfirmed ? null : (
        <Textarea
          name="read-back"
          label={byTelephone ? 'Ou : ce que votre interlocuteur a redit' : 'Ou : redites le résultat avec vos mots'}
          required
          autosize
          minRows={2}
          maxLength={longestText}
        />
      )}
    </FormDialog>
  );
}
