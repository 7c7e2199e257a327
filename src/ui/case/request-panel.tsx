/** Demande. */
import type {
  DocumentReference,
  Observation,
  Organization,
  Practitioner,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { frenchDateTime } from '../time/format.ts';
import { attachmentBasisName, encounterClassName } from '../words/labels.ts';
import { organizationName, practitionerName } from '../words/people.ts';
import { spacedPhone } from '../words/phone.ts';
import { AttachFile } from './attach-file.tsx';
import { AttachmentLink } from './attachment-link.tsx';
import type { CaseFacts } from './case-facts.ts';
import type { Exam } from './exam.ts';
import { Fact, Panel } from './panel.tsx';
import {
  attachmentsOf,
  detailsOf,
  justificationOf,
  observationName,
  observationsOf,
  observationValue,
  purposeOf,
} from './request-facts.ts';

interface RequestPanelProps {
  task: Task;
  facts: CaseFacts;
  request: ServiceRequest | undefined;
  hospital: Organization | undefined;
  exam: Exam;
  file:
    | { requester: Practitioner | undefined; observations: Observation[]; documents: DocumentReference[] }
    | undefined;
}

export function RequestPanel({ task, facts, request, hospital, exam, file }: RequestPanelProps): JSX.Element {
  const attachments = attachmentsOf(task, request, file?.documents ?? []);
  return (
    <Panel title="Demande" note={encounterClassName(facts.encounterClass)}>
      <dl className="facts">
        <Fact label="Justification">{justificationOf(request)}</Fact>
        <Fact label="Finalité">{purposeOf(request)}</Fact>
        <Fact label="Examen demandé">{exam.act ?? exam.text}</Fact>
        <Fact label="Précisions">{detailsOf(request, exam)}</Fact>
        {observationsOf(request, file?.observations ?? []).map((one) => (
          <Fact key={one.id} label={observationName(one)}>
            {observationValue(one)}
          </Fact>
        ))}
        <Fact label="Établissement">{organizationName(hospital, task.requester)}</Fact>
        <Fact label="Demandeur">{practitionerName(file?.requester, request?.requester)}</Fact>
        <Fact label="Rappeler au">
          {facts.callback ? (
            <a href={`tel:${facts.callback.replaceAll(/[^+\d]/g, '')}`}>{spacedPhone(facts.callback)}</a>
          ) : undefined}
        </Fact>
        <Fact label="Demande écrite le">{request?.authoredOn ? frenchDateTime(request.authoredOn) : undefined}</Fact>
        <Fact label="Images rattachées">{attachmentBasisName(facts.attachmentBasis)}</Fact>
        <Fact label="Motif">{facts.statusReason}</Fact>
      </dl>
      {attachments.length > 0 ? (
        <ul className="links" aria-label="Pièces jointes">
          {attachments.map((one) => (
            <li key={one.id}>
              <AttachmentLink document={one} />
            </li>
          ))}
        </ul>
      ) : null}
      <AttachFile task={task} />
    </Panel>
  );
}
