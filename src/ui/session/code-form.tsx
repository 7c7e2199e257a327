/** A code typed by hand: six digits of an application, or a recovery code. */
import { Button, TextInput } from '@mantine/core';
import type { FormEvent, JSX } from 'react';

interface CodeFormProps {
  label: string;
  description?: string;
  button: string;
  /** Six digits: a numeric keyboard, and the code that the system may propose. */
  digits: boolean;
  pending: boolean;
  onCode(code: string): void;
}

export function CodeForm({ label, description, button, digits, pending, onCode }: CodeFormProps): JSX.Element {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get('code') ?? '').trim();
    onCode(digits ? typed.replace(/\s/g, '') : typed);
  };
  return (
    <form onSubmit={submit} className="stack">
      <TextInput
        name="code"
        label={label}
        description={description}
        required
        autoFocus
        autoComplete={digits ? 'one-time-code' : 'off'}
        inputMode={digits ? 'numeric' : 'text'}
        maxLength={digits ? 7 : 40}
      />
      <Button type="submit" loading={pending} fullWidth>
        {button}
      </Button>
    </form>
  );
}
