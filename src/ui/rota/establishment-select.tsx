/** Which establishment the page is about. */
import { Select } from '@mantine/core';
import type { JSX } from 'react';

interface EstablishmentSelectProps {
  places: readonly { value: string; label: string }[] | undefined;
  /** Id of the Organization. */
  value: string | undefined;
  onChange: (id: string | null) => void;
}

export function EstablishmentSelect({ places, value, onChange }: EstablishmentSelectProps): JSX.Element {
  return (
    <Select
      size="xs"
      aria-label="Établissement"
      data={[...(places ?? [])]}
      value={value ?? null}
      allowDeselect={false}
      onChange={onChange}
    />
  );
}
