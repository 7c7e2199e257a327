/** The head of a table: one cell a column, announced with its cells by a screen reader (RGAA 5.7). */
import type { JSX } from 'react';

export function ColumnHeads({ names }: { names: readonly string[] }): JSX.Element {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
