/** Events as a table; a patient's reference narrows the journal to that patient. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { frenchInstant } from '../time/format.ts';
import type { AuditLine } from './sentence.ts';

/** Patients shown on one line; a search may concern hundreds. */
const mostPatients = 3;

export function JournalTable({
  lines,
  onPatient,
}: {
  lines: readonly AuditLine[];
  onPatient(reference: string): void;
}): JSX.Element {
  return (
    <table className="plain-table">
      <caption className="hidden">Événements</caption>
      <thead>
        <tr>
          {['Date (Paris)', 'Auteur', 'Action', 'Patient', 'Depuis'].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.id} className={line.outcome === 'success' ? undefined : 'issue-open'}>
            <td className="cell-number">{frenchInstant(line.at)}</td>
            <td className="cell-number">{line.who}</td>
            <td title={line.query}>{line.sentence}</td>
            <td>
              {line.patients.slice(0, mostPatients).map((reference) => (
                <Button
                  key={reference}
                  size="compact-xs"
                  variant="default"
                  title="Voir tout ce qui concerne ce patient"
                  onClick={() => onPatient(reference)}
                >
                  {reference.slice('Patient/'.length)}
                </Button>
              ))}
              {line.patients.length > mostPatients ? ` et ${line.patients.length - mostPatients} autres` : ''}
            </td>
            <td className="cell-number">{line.from ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
