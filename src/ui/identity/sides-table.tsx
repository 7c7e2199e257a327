/** Traits of both sides, those that differ marked by a word and not by a colour alone. */
import type { JSX } from 'react';
import type { Sides } from './sides.ts';

export function SidesTable({ sides }: { sides: Sides }): JSX.Element {
  return (
    <table className="plain-table sides-table">
      <caption className="hidden">Traits comparés</caption>
      <thead>
        <tr>
          <th scope="col">Trait</th>
          {sides.headings.map((heading) => (
            <th key={heading} scope="col">
              {heading}
            </th>
          ))}
          <th scope="col">
            <span className="hidden">Comparaison</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {sides.rows.map((row) => (
          <tr key={row.trait} className={row.differs ? 'trait-differs' : undefined}>
            <th scope="row">{row.label}</th>
            {row.values.map((value, index) => (
              // A side has no name of its own but its place.
              <td key={sides.headings[index]}>{value}</td>
            ))}
            <td>{row.differs ? <strong>différent</strong> : null}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
