/** The last look before the signature: which patient, which conclusion, which act. */
import { Alert, Button, Textarea } from '@mantine/core';
import type { OperationOutcomeIssue, Patient, Task } from '@medplum/fhirtypes';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import type { Exam } from '../case/exam.ts';
import { operate } from '../case/use-operation.ts';
import { useServices } from '../fhir/client-context.tsx';
import { FhirProblem, messageOf } from '../fhir/problem.ts';
import { Dialog } from '../shell/dialog.tsx';
import { frenchDate } from '../time/format.ts';
import { bornText, sexName } from '../words/labels.ts';
import { patientIdentity } from '../words/people.ts';
import { type Amendment, AmendmentFields } from './amendment-fields.tsx';
import { type Draft, draftValues } from './chapters.ts';
import { remarksOf } from './lint.ts';

interface SignDialogProps {
  task: Task;
  patient: Patient | undefined;
  exam: Exam;
  draft: Draft;
  /** The next version of a signed report, with why there is one. */
  amending: boolean;
  notDisplayed: number;
  flush(): Promise<boolean>;
  onClose(): void;
  /** The server's remarks on the text. */
  onRefused(issues: readonly OperationOutcomeIssue[]): void;
  onSigned(): void;
}

export function SignDialog({
  task,
  patient,
  exam,
  draft,
  amending,
  notDisplayed,
  flush,
  onClose,
  onRefused,
  onSigned,
}: SignDialogProps): JSX.Element {
  const { client } = useServices();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [reasonAsked, setReasonAsked] = useState(false);
  const [amendment, setAmendment] = useState<Amendment>({ reason: '', nature: 'amended' });
  const identity = patientIdentity(patient);
  const signature = useMutation({
    mutationFn: async () => {
      if (!(await flush())) throw new Error('Le brouillon n’a pas pu être enregistré : rien n’a été signé.');
      return operate(client, task, {
        name: amending ? 'sign-addendum' : 'sign',
        parameters: {
          ...draftValues(draft, reason.trim()),
          ...(amending ? { reason: amendment.reason.trim() || undefined, nature: amendment.nature } : {}),
        },
      });
    },
    onSuccess: onSigned,
    onError: (error) => {
      if (!(error instanceof FhirProblem) || error.status !== 422) return;
      if (remarksOf(error.issues).byField['not-displayed-reason']) setReasonAsked(true);
      else onRefused(error.issues);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['worklist'] }),
  });

  return (
    <Dialog onClose={onClose} title={amending ? 'Signer la version suivante' : 'Signer le compte rendu'} size="lg">
      <div className="stack">
        <dl className="sign-facts">
          <dt>Patient</dt>
          <dd>
            <strong>{identity.name}</strong>, {bornText(patient?.gender)} {frenchDate(patient?.birthDate)},{' '}
            {sexName(patient?.gender)}, IPP {identity.ipp ?? 'absent'}
          </dd>
          <dt>Examen</dt>
          <dd>{exam.text}</dd>
          <dt>Acte CCAM</dt>
          <dd>{draft.ccam.code === '' ? 'non choisi' : `${draft.ccam.code} ${draft.ccam.display}`}</dd>
          <dt>Conclusion</dt>
          <dd className="sign-conclusion">{draft.text.conclusion.trim() === '' ? 'vide' : draft.text.conclusion}</dd>
        </dl>
        {amending ? <AmendmentFields value={amendment} onChange={setAmendment} /> : null}
        {notDisplayed > 0 || reasonAsked ? (
          <Textarea
            label="Motif de signature sans tout l’examen"
            description={
              notDisplayed > 0
                ? `${notDisplayed} série(s) jamais affichée(s) : affichez-les, ou dites pourquoi.`
                : 'Examen incomplet : attendez la suite, ou dites pourquoi vous signez.'
            }
            required
            value={reason}
            maxLength={2000}
            autosize
            minRows={2}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        ) : null}
        {signature.isError ? (
          <Alert color="red" role="alert">
            {messageOf(signature.error)}
          </Alert>
        ) : null}
        <p className="muted">
          La signature engage votre responsabilité. Le compte rendu signé part aussitôt vers l’établissement
          {amending ? ' et y remplace la version précédente' : ''}.
        </p>
        <div className="dialog-buttons">
          <Button variant="default" onClick={onClose} data-autofocus>
            Revenir au texte
          </Button>
          <Button loading={signature.isPending} onClick={() => signature.mutate()}>
            Signer et envoyer
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
