/** Why there is another version of a signed report, and what it is to the one before. */
import { NativeSelect, Textarea } from '@mantine/core';
import type { JSX } from 'react';

export interface Amendment {
  reason: string;
  nature: string;
}

const natures = [
  { value: 'amended', label: 'Modification' },
  { value: 'corrected', label: 'Correction d’une erreur' },
  { value: 'appended', label: 'Complément' },
];

export function AmendmentFields({
  value,
  onChange,
}: {
  value: Amendment;
  onChange(next: Amendment): void;
}): JSX.Element {
  return (
    <>
      <Textarea
        label="Motif de la nouvelle version"
        description="Communiqué au site avec le compte rendu."
        required
        value={value.reason}
        maxLength={4000}
        autosize
        minRows={2}
        onChange={(event) => onChange({ ...value, reason: event.currentTarget.value })}
      />
      <NativeSelect
        label="Nature"
        data={natures}
        value={value.nature}
        onChange={(event) => onChange({ ...value, nature: event.currentTarget.value })}
      />
    </>
  );
}
