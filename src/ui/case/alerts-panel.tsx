/** Alerts about the case: deadlines, late flag, identity problems. Said aloud when they appear. */
import type { Task } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { found, literalReference } from '../fhir/bundle.ts';
import { useAllowedSearch } from '../session/use-allowed-search.ts';
import { pollMs } from '../shell/query-client.ts';
import { frenchDateTime } from '../time/format.ts';
import { type CaseAlert, caseAlerts } from './alerts.ts';

/** Alerts are rarer than case changes. */
const alertPollMs = 4 * pollMs;

export function AlertsPanel({ task }: { task: Task }): JSX.Element {
  const search = useAllowedSearch();
  const patient = literalReference(task.for);
  const alerts = useQuery({
    // A declared error stands in the case itself: it is told when the case says so, to whoever sees no patient as well.
    queryKey: ['alerts', task.id, patient, task.meta?.versionId],
    placeholderData: (previous: CaseAlert[] | undefined, query): CaseAlert[] | undefined =>
      query?.queryKey[1] === task.id ? previous : undefined,
    queryFn: async ({ signal }): Promise<CaseAlert[]> => {
      const [communications, flags, issues] = await Promise.all([
        patient ? search('Communication', `subject=${patient}&_sort=-sent&_count=50`, signal) : undefined,
        patient ? search('Flag', `patient=${patient}&_count=50`, signal) : undefined,
        search('DetectedIssue', `implicated=Task/${task.id}&_count=50`, signal),
      ]);
      return caseAlerts(
        task,
        found(communications).all('Communication'),
        found(flags).all('Flag'),
        found(issues).all('DetectedIssue'),
      );
    },
    refetchInterval: alertPollMs,
  });
  return (
    <ul className="alerts" aria-label="Alertes" aria-live="polite">
      {(alerts.data ?? []).map((one) => (
        <li key={one.key} className={`alert alert-${one.tone}`}>
          <span>{one.text}</span>
          {one.at ? <span className="muted">{frenchDateTime(one.at)}</span> : null}
        </li>
      ))}
    </ul>
  );
}
