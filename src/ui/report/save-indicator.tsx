/** Whether the words on the screen are safe. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import type { SaveState } from './use-draft.ts';

const texts: Readonly<Record<SaveState, string>> = {
  saved: 'Brouillon enregistré',
  unsaved: 'Modifications non enregistrées',
  saving: 'Enregistrement…',
  failed: 'Brouillon non enregistré',
};

export function SaveIndicator({
  state,
  error,
  onSave,
}: {
  state: SaveState;
  error: string | undefined;
  onSave(): void;
}): JSX.Element {
  return (
    <div className={`save save-${state}`}>
      <span role="status" aria-label="Enregistrement du brouillon">
        {texts[state]}
        {state === 'failed' && error ? ` : ${error}` : ''}
      </span>
      {state === 'unsaved' || state === 'failed' ? (
        <Button size="compact-xs" variant="default" onClick={onSave} title="Ctrl + S">
          Enregistrer
        </Button>
      ) : null}
    </div>
  );
}
