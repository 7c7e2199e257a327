/** One case of the worklist. */
import type { JSX } from 'react';
import { StateBadge } from '../case/state-badge.tsx';
import { TimeLeft } from '../case/time-left.tsx';
import { UrgencyBadge } from '../case/urgency-badge.tsx';
import { kindBadge } from '../words/kinds.ts';
import { isLate } from './late.ts';
import type { WorklistRow } from './row.ts';
import { WhyCell } from './why-cell.tsx';

interface WorklistLineProps {
  row: WorklistRow;
  now: Date;
  fresh: boolean;
  reachable: boolean;
  onFocus(): void;
  onOpen(): void;
  /** Its place is explained. */
  explained: boolean;
  onExplain(): void;
}

export function WorklistLine(props: WorklistLineProps): JSX.Element {
  const { row, now, fresh, reachable, onFocus, onOpen, explained, onExplain } = props;
  const { facts, exam } = row;
  const late = isLate(row, now);
  return (
    <tr
      data-case={row.id}
      className={['row', fresh ? 'row-fresh' : '', late ? 'row-late' : ''].filter((one) => one).join(' ')}
      tabIndex={reachable ? 0 : -1}
      aria-label={`Dossier de ${row.patient}, ${exam.text}, ${row.stateName}${late ? ', en retard' : ''}`}
      onFocus={onFocus}
      onClick={onOpen}
    >
      <td>
        <UrgencyBadge urgent={facts.urgent} />
      </td>
      <td>
        <TimeLeft facts={facts} now={now} />
      </td>
      <td className="cell-cut">{row.hospital}</td>
      <td>
        <span className="patient-name">{row.patient}</span> <span className="muted">{row.sexAndAge}</span>
        {fresh ? <span className="fresh-mark">nouveau</span> : null}
      </td>
      <td className="cell-cut" title={exam.act}>
        {kindBadge(facts.kind) === undefined ? null : <span className="kind-mark">{kindBadge(facts.kind)} </span>}
        {exam.text}
      </td>
      <td className="cell-number">
        {facts.imageCount > 0 ? facts.imageCount : <span className="muted">–</span>}
        {facts.attachmentBasis === 'provisional' ? (
          <span className="provisional" title="Rattachement provisoire, à confirmer">
            {' '}
            ?
          </span>
        ) : null}
      </td>
      <td>
        <StateBadge state={facts.state} name={row.stateName} />
      </td>
      <td className="cell-cut">
        {row.owner ?? (row.assigned ? `confié à ${row.assigned}` : <span className="muted">–</span>)}
      </td>
      {row.place ? (
        <WhyCell place={row.place} open={explained} reachable={reachable} onToggle={onExplain} />
      ) : (
        <td className="muted">–</td>
      )}
    </tr>
  );
}
