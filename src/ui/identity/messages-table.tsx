/** Messages that wait for a coordinator, each with its age. */
import type { JSX } from 'react';
import { Link } from 'wouter';
import { ColumnHeads } from '../shell/column-heads.tsx';
import { frenchDateTime } from '../time/format.ts';
import type { Message } from './messages.ts';

const columns = ['Depuis', 'Nature', 'Message', 'Images', 'Dossier'];

export function MessagesTable({ messages }: { messages: readonly Message[] }): JSX.Element {
  return (
    <table className="plain-table">
      <caption className="hidden">Messages de la plateforme, du plus récent au plus ancien</caption>
      <ColumnHeads names={columns} />
      <tbody>
        {messages.map((one) => (
          <tr key={one.key} className="issue-open">
            <td>
              <strong>{one.age ?? '–'}</strong> <span className="muted">{frenchDateTime(one.sent)}</span>
            </td>
            <td>{one.kind}</td>
            <td>{one.text}</td>
            <td>{one.images ?? '–'}</td>
            <td>{one.caseId ? <Link href={`/dossier/${one.caseId}`}>Ouvrir le dossier</Link> : 'sans dossier'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
