/** Antériorités: other studies and reports of the patient, newest first. */
import { Button } from '@mantine/core';
import type { DiagnosticReport, ImagingStudy, Task } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { found, literalReference } from '../fhir/bundle.ts';
import { maySeeImages } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { useAllowedSearch } from '../session/use-allowed-search.ts';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { frenchDate } from '../time/format.ts';
import { modalityName } from '../words/labels.ts';
import { itemsOf } from './case-facts.ts';
import { conceptText } from './exam.ts';
import type { OtherStudy } from './other-study.ts';
import { Panel } from './panel.tsx';

interface PriorsPanelProps {
  task: Task;
  patient: string | undefined;
  studies: readonly OtherStudy[];
  /** Id of the study whose images are on the screen instead of the case's. */
  opened: string | undefined;
  onOpen(id: string | undefined): void;
}

export function PriorsPanel({ task, patient, studies, opened, onOpen }: PriorsPanelProps): JSX.Element {
  const session = useSession();
  const search = useAllowedSearch();
  const reports = useQuery({
    queryKey: ['priors', task.id, patient],
    queryFn: async ({ signal }) =>
      found(await search('DiagnosticReport', `patient=${patient}&_sort=-issued&_count=50`, signal)).all(
        'DiagnosticReport',
      ),
    enabled: patient !== undefined,
    staleTime: 60_000,
  });
  const own = new Set(itemsOf(task.output, 'report').map((one) => literalReference(one.valueReference)));
  const otherReports = (reports.data ?? []).filter(
    (one) => !own.has(`DiagnosticReport/${one.id}`) && one.status !== 'partial' && one.status !== 'registered',
  );
  const count = otherReports.length + studies.length;
  return (
    <Panel title="Antériorités" note={String(count)} open={count > 0}>
      {reports.isError ? <ErrorBanner error={reports.error} onRetry={() => void reports.refetch()} /> : null}
      {count === 0 ? <p className="muted">Aucun examen antérieur connu de la plateforme.</p> : null}
      <ul className="priors">
        {otherReports.map((one) => (
          <li key={one.id}>
            <ReportPrior report={one} />
          </li>
        ))}
        {studies.map(({ uid, ofCase, banner, resource }) => (
          <li key={resource.id}>
            <strong>{frenchDate(resource.started)}</strong> {ofCase ? 'Autre étude de ce dossier · ' : ''}
            {studyText(resource)}{' '}
            {uid !== undefined && maySeeImages(session) ? (
              <Button
                size="compact-xs"
                variant="default"
                aria-pressed={opened === resource.id}
                aria-label={`Voir les images : ${banner}`}
                onClick={() => onOpen(opened === resource.id ? undefined : resource.id)}
              >
                Voir les images
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ReportPrior({ report }: { report: DiagnosticReport }): JSX.Element {
  return (
    <details>
      <summary>
        <strong>{frenchDate(report.effectiveDateTime ?? report.issued)}</strong> Compte rendu ·{' '}
        {conceptText(report.code) ?? 'imagerie'}
      </summary>
      <p className="prior-conclusion">{report.conclusion ?? 'Sans conclusion enregistrée.'}</p>
    </details>
  );
}

function studyText(study: ImagingStudy): string {
  const modality = study.modality
    ?.map((one) => modalityName(one.code))
    .filter((one) => one !== undefined)
    .join(', ');
  const images = study.numberOfInstances === undefined ? undefined : `${study.numberOfInstances} images`;
  return [modality, study.description, images].filter((part) => part).join(' · ');
}
