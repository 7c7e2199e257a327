/** The three columns of an open case. */
import type { Bundle, Task } from '@medplum/fhirtypes';
import { useQueryClient } from '@tanstack/react-query';
import { type JSX, useCallback, useState } from 'react';
import { found } from '../fhir/bundle.ts';
import { CaseIssues } from '../identity/case-issues.tsx';
import { ReportPanel } from '../report/report-panel.tsx';
import { useSession } from '../session/session-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { abandonedStates, receivingStates, signedStates } from '../words/case-status.ts';
import { practitionerName } from '../words/people.ts';
import { ActionBar } from './action-bar.tsx';
import { AlertsPanel } from './alerts-panel.tsx';
import { AnnouncementPanel } from './announcement-panel.tsx';
import { ApplicationsPanel } from './applications-panel.tsx';
import { caseFacts } from './case-facts.ts';
import { ChatPanel } from './chat-panel.tsx';
import { ClocksPanel } from './clocks-panel.tsx';
import { ConsentPanel } from './consent-panel.tsx';
import { CriticalPanel } from './critical-panel.tsx';
import { DeliveryPanel } from './delivery-panel.tsx';
import { examOf } from './exam.ts';
import { ImagesColumn } from './images-column.tsx';
import { otherStudies } from './other-study.ts';
import { PatientBanner } from './patient-banner.tsx';
import { PriorsPanel } from './priors-panel.tsx';
import { ProtocolPanel } from './protocol-panel.tsx';
import { RequestPanel } from './request-panel.tsx';
import { amends, displayedBy, readsBlind, sideWorks } from './second-reading.ts';
import { SecondReadingPanel } from './second-reading-panel.tsx';
import { studyOf } from './study.ts';
import { TimelinePanel } from './timeline-panel.tsx';
import { nothingLegal } from './transitions.ts';
import { useRequestFile, useTransitions } from './use-case.ts';
import { useDisplayedSeries } from './use-displayed-series.ts';

export function CaseWorkspace({ task, bundle }: { task: Task; bundle: Bundle }): JSX.Element {
  const result = found(bundle);
  const facts = caseFacts(task);
  const patient = result.at('Patient', task.for);
  const request = result.at('ServiceRequest', task.focus);
  const transitions = useTransitions(task);
  const file = useRequestFile(task);
  const { legal, blocked } = transitions.data ?? nothingLegal;
  const study = studyOf(task, request, file.data?.studies ?? []);
  const others = otherStudies(task, study?.resource.id, file.data?.studies ?? []);
  const [otherId, setOtherId] = useState<string>();
  const exam = examOf(request, study?.resource);
  const [seriesUids, setSeriesUids] = useState<readonly string[]>([]);
  const me = useSession().reference;
  const children = result
    .all('Task')
    .filter((one) => one.partOf?.some((parent) => parent.reference?.endsWith(`Task/${task.id}`)));
  const works = sideWorks(children);
  const amending = amends(works, me);
  const blind = readsBlind(works, me);
  const displayed = useDisplayedSeries(task, displayedBy(task, children, me), legal.includes('displayed'));
  const refresh = useRefresh(task);

  return (
    <div className="case">
      <PatientBanner task={task} facts={facts} patient={patient} exam={exam} />
      <div className="case-columns">
        <aside className="case-left" aria-label="Demande et historique">
          <AlertsPanel task={task} />
          <CaseIssues task={task} />
          <RequestPanel
            task={task}
            facts={facts}
            request={request}
            file={file.data}
            hospital={result.at('Organization', task.requester)}
            exam={exam}
          />
          {file.isError ? <ErrorBanner error={file.error} onRetry={() => void file.refetch()} /> : null}
          <ConsentPanel task={task} final={!openCase(facts.state)} />
          <PriorsPanel
            task={task}
            patient={task.for?.reference}
            studies={others}
            opened={otherId}
            onOpen={setOtherId}
          />
          <ApplicationsPanel taskId={task.id ?? ''} />
          <ClocksPanel task={task} />
          <TimelinePanel task={task} />
        </aside>
        <section className="case-images" aria-label="Images">
          <ImagesColumn
            study={study}
            other={others.find((one) => one.resource.id === otherId)}
            patient={patient}
            receiving={receivingStates.includes(facts.state)}
            displayed={displayed}
            onSeries={setSeriesUids}
            onCloseOther={() => setOtherId(undefined)}
          />
        </section>
        <aside className="case-right" aria-label="Travail sur le dossier">
          {transitions.isError ? (
            <ErrorBanner error={transitions.error} onRetry={() => void transitions.refetch()} />
          ) : null}
          <ActionBar task={task} legal={legal} blocked={blocked} />
          <ProtocolPanel task={task} facts={facts} exam={exam} editable={legal.includes('protocol')} />
          <ReportPanel
            key={task.id}
            task={task}
            facts={facts}
            reader={practitionerName(result.at('Practitioner', task.owner), task.owner)}
            patient={patient}
            request={request}
            exam={exam}
            amending={amending}
            hiddenBecause={blind ? hiddenFromBlind : undefined}
            canSave={legal.includes('save-draft')}
            canIssue={legal.includes('issue-preliminary')}
            canSign={legal.includes(amending ? 'sign-addendum' : 'sign')}
            signBlocked={blocked[amending ? 'sign-addendum' : 'sign']}
            notDisplayed={seriesUids.filter((uid) => !displayed.uids.has(uid)).length}
            onChanged={refresh}
          />
          <SecondReadingPanel works={works} />
          <CriticalPanel task={task} items={children} legal={legal} />
          <AnnouncementPanel task={task} />
          <ChatPanel key={`messages-${task.id}`} task={task} mayAnswer={legal.includes('answer')} />
          <DeliveryPanel deliveries={children} />
        </aside>
      </div>
    </div>
  );
}

const openCase = (state: string): boolean => !signedStates.includes(state) && !abandonedStates.includes(state);

const hiddenFromBlind = 'Deuxième lecture en aveugle : le premier compte rendu se montre quand votre avis est rendu.';

function useRefresh(task: Task): () => void {
  const queries = useQueryClient();
  return useCallback(
    () => void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === task.id }),
    [queries, task.id],
  );
}
