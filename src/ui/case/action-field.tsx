/** One thing an action must be told. */
import { Checkbox, NativeSelect, Radio, Textarea, TextInput } from '@mantine/core';
import type { JSX } from 'react';
import type { ActionField } from './action-list.ts';
import { useReaders } from './use-readers.ts';

const longestText = 4000;

export function ActionInput({ field, first }: { field: ActionField; first: boolean }): JSX.Element {
  const common = { name: field.name, label: field.label, required: field.optional !== true };
  const focus = { 'data-autofocus': first || undefined };
  switch (field.kind) {
    case 'text':
      return <Textarea {...common} {...focus} autosize minRows={3} maxLength={longestText} />;
    case 'line':
      return <TextInput {...common} {...focus} maxLength={200} />;
    case 'tick':
      return <Checkbox name={field.name} label={field.label} value="true" />;
    case 'choice':
      return (
        <Radio.Group {...common}>
          {(field.choices ?? []).map(({ value, label }, index) => (
            <Radio key={value} name={field.name} value={value} label={label} required {...(index === 0 ? focus : {})} />
          ))}
        </Radio.Group>
      );
    case 'reader':
      return <ReaderInput {...common} {...focus} />;
  }
}

function ReaderInput(props: { name: string; label: string; required: boolean }): JSX.Element {
  const readers = useReaders();
  const data = [
    { value: '', label: readers.isPending ? 'Chargement de l’annuaire…' : 'Choisir…' },
    ...(readers.data ?? []).map(({ reference, name }) => ({ value: reference, label: name })),
  ];
  return (
    <NativeSelect
      {...props}
      data={data}
      error={readers.isError ? 'L’annuaire ne répond pas : fermez, puis recommencez.' : undefined}
    />
  );
}
