/** Events as a table; a reference narrows the journal to that patient or object. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { ColumnHeads } from '../shell/column-heads.tsx';
import { frenchInstant } from '../time/format.ts';
import { type AuditLine, objectLabel, shortId } from './sentence.ts';

/** Patients, and objects, shown on one line; a search may concern hundreds. */
const mostShown = 3;

export function JournalTable({
  lines,
  onAbout,
}: {
  lines: readonly AuditLine[];
  onAbout(reference: string): void;
}): JSX.Element {
  return (
    <table className="plain-table">
      <caption className="hidden">Événements</caption>
      <ColumnHeads names={['Date (Paris)', 'Auteur', 'Motif', 'Action', 'Patient', 'Objet', 'Depuis']} />
      <tbody>
        {lines.map((line) => (
          <tr key={line.id} className={line.outcome === 'success' ? undefined : 'issue-open'}>
            <td className="cell-number">{frenchInstant(line.at)}</td>
            <td className="cell-number">{line.who}</td>
            <td className="cell-number">{line.purpose ?? '–'}</td>
            <td title={line.query}>
              {line.sentence}
              {line.reason === undefined ? '' : ` – ${line.reason}`}
            </td>
            <td>
              {line.patients.slice(0, mostShown).map((reference) => (
                <Button
                  key={reference}
                  size="compact-xs"
                  variant="default"
                  title={`Voir tout ce qui concerne ${reference}`}
                  onClick={() => onAbout(reference)}
                >
                  {shortId(reference.slice('Patient/'.length))}
                </Button>
              ))}
              {line.patients.length > mostShown ? ` et ${line.patients.length - mostShown} autres` : ''}
            </td>
            <td>
              {line.objects.slice(0, mostShown).map((reference) => (
                <Button
                  key={reference}
                  size="compact-xs"
                  variant="default"
                  title={`Voir tout ce qui concerne ${reference}`}
                  onClick={() => onAbout(reference)}
                >
                  {objectLabel(reference)}
                </Button>
              ))}
            </td>
            <td className="cell-number">{line.from ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
