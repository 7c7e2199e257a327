/** Who the patient is, always in sight, with urgency, deadline and state. */
import type { Patient, Task } from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { Link } from 'wouter';
import { useNow } from '../shell/use-now.ts';
import { ageText, frenchDate, frenchShort } from '../time/format.ts';
import { caseStatusName, signedStates } from '../words/case-status.ts';
import { kindBadge } from '../words/kinds.ts';
import { bornText, sexName } from '../words/labels.ts';
import { hiddenPatient, patientIdentity } from '../words/people.ts';
import type { CaseFacts } from './case-facts.ts';
import type { Exam } from './exam.ts';
import { insStatus } from './ins-status.ts';
import { StateBadge } from './state-badge.tsx';
import { TimeLeft } from './time-left.tsx';
import { UrgencyBadge } from './urgency-badge.tsx';

interface PatientBannerProps {
  task: Task;
  facts: CaseFacts;
  patient: Patient | undefined;
  exam: Exam;
}

export function PatientBanner({ task, facts, patient, exam }: PatientBannerProps): JSX.Element {
  const now = useNow();
  const identity = patientIdentity(patient);
  const age = ageText(patient?.birthDate, now);
  return (
    <section className="banner" aria-label="Patient">
      <Link href="/" className="banner-back" aria-label="Retour à la liste de travail">
        ‹
      </Link>
      <div className="banner-person">
        <h1>{patient ? identity.name : hiddenPatient}</h1>
        {patient ? (
          <p>
            {bornText(patient.gender)} <strong>{frenchDate(patient?.birthDate)}</strong>
            {age ? ` (${age})` : ''} · {sexName(patient?.gender)} · IPP <strong>{identity.ipp ?? 'absent'}</strong> ·{' '}
            {identity.ins ? (
              <>
                {identity.ins.kind} <strong>{identity.ins.value}</strong>
              </>
            ) : (
              'sans INS'
            )}{' '}
            <span className={insStatus(patient).trusted ? 'ins ins-trusted' : 'ins'}>{insStatus(patient).text}</span>
          </p>
        ) : (
          <p className="muted">Votre rôle ne donne pas accès à l’identité.</p>
        )}
      </div>
      <div className="banner-exam">
        {kindBadge(facts.kind) === undefined ? null : <span className="kind-mark">{kindBadge(facts.kind)} </span>}
        <strong>{exam.text}</strong>
        <span className="muted">
          {facts.number ? `Dossier ${facts.number}` : 'Dossier'}
          {facts.placerNumber ? ` · demande ${facts.placerNumber}` : ''}
        </span>
      </div>
      <div className="banner-state">
        <UrgencyBadge urgent={facts.urgent} />
        <StateBadge state={facts.state} name={task.businessStatus?.text ?? caseStatusName(facts.state)} />
      </div>
      <div className="banner-time">
        <TimeLeft facts={facts} now={now} />
        <span className="muted">{deadlineText(facts, now)}</span>
      </div>
    </section>
  );
}

/** The deadline of what is counted down; the reading's by its name where something else is more pressing. */
function deadlineText({ state, owed, deadline }: CaseFacts, now: Date): string {
  const isOther = owed !== undefined && owed.name !== 'interpretation';
  const reading = isOther && signedStates.includes(state) ? undefined : deadline;
  const due = reading ?? owed?.due;
  if (due === undefined) return '';
  const whose = isOther && reading !== undefined ? 'lecture : ' : '';
  return `${whose}échéance ${frenchShort(due.toISOString(), now)}`;
}
