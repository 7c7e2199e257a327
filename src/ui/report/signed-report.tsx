/** The signed report: text, PDF, CDA. */
import { Alert, Button } from '@mantine/core';
import type { DiagnosticReport, DocumentReference, Task } from '@medplum/fhirtypes';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type JSX, useEffect, useRef, useState } from 'react';
import { AttachmentLink } from '../case/attachment-link.tsx';
import { itemsOf } from '../case/case-facts.ts';
import { Panel } from '../case/panel.tsx';
import { found, referencedId } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { mayRead } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { frenchDateTime } from '../time/format.ts';
import { kindOf } from '../words/kinds.ts';
import { chaptersOf, draftOf } from './chapters.ts';

interface SignedReportProps {
  task: Task;
  report: DiagnosticReport;
  reader: string | undefined;
}

export function SignedReport({ task, report, reader }: SignedReportProps): JSX.Element {
  const { client } = useServices();
  const session = useSession();
  const ids = itemsOf(task.output, 'document').flatMap(
    (one) => referencedId('DocumentReference', one.valueReference) ?? [],
  );
  const documents = useQuery({
    queryKey: ['documents', task.id, ids.join(',')],
    queryFn: async ({ signal }) =>
      found(await client.search('DocumentReference', `_id=${ids.join(',')}`, signal)).all('DocumentReference'),
    enabled: ids.length > 0 && mayRead(session, 'DocumentReference'),
  });
  const { text, ccam } = draftOf(report);
  const signatory = report.resultsInterpreter?.[0];
  // A later version may be another reader's.
  const isOwners = signatory === undefined || signatory.reference === task.owner?.reference;
  return (
    <Panel title="Compte rendu" note={noteOf(report)}>
      {report.status === 'preliminary' ? (
        <Alert color="yellow" title="Compte rendu provisoire">
          Ni signé ni définitif : il peut changer jusqu’à la signature, et n’a été envoyé à personne.
        </Alert>
      ) : null}
      <p>
        {[signatory?.display ?? (isOwners ? reader : undefined), ccam.code && `acte ${ccam.code}`]
          .filter((part) => part)
          .join(' · ')}
      </p>
      <fieldset className="group links" aria-label="Documents signés" hidden={report.status === 'preliminary'}>
        {mayRead(session, 'Binary') ? <PdfButton report={report} /> : null}
        {(documents.data ?? [])
          .filter((one) => !isPdf(one) && one.status === 'current')
          .map((one) => (
            <AttachmentLink key={one.id} document={one} label="Télécharger le CDA" />
          ))}
      </fieldset>
      {documents.isError ? (
        <Alert color="red" role="alert">
          {messageOf(documents.error)}
        </Alert>
      ) : null}
      <dl className="report-text">
        {chaptersOf(kindOf(task.code)).map(({ key, label }) => (
          <div key={key}>
            <dt>{label}</dt>
            <dd className="long-text">{text[key]}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

const versions: Readonly<Record<string, string>> = {
  amended: 'modifié',
  corrected: 'corrigé',
  appended: 'complété',
  'entered-in-error': 'ANNULÉ, dossier erroné ;',
};

function noteOf({ status, issued }: DiagnosticReport): string {
  const when = issued ? ` le ${frenchDateTime(issued)}` : '';
  if (status === 'preliminary') return `provisoire, émis${when}`;
  if (status === 'cancelled') return 'abandonné';
  return [versions[status ?? ''], `signé${when}`].filter((part) => part).join(' ');
}

function isPdf(document: DocumentReference): boolean {
  return document.content[0]?.attachment.contentType === 'application/pdf';
}

/** Shows the signed PDF in the page, with a way to keep it. */
function PdfButton({ report }: { report: DiagnosticReport }): JSX.Element | null {
  const { client } = useServices();
  const url =
    report.presentedForm?.find((one) => one.contentType === 'application/pdf')?.url ?? report.presentedForm?.[0]?.url;
  const [shown, setShown] = useState<string>();
  const button = useRef<HTMLButtonElement>(null);
  const load = useMutation({
    mutationFn: () => client.bytes(url ?? '', 'application/pdf'),
    onSuccess: (blob) => setShown(URL.createObjectURL(blob)),
  });
  useEffect(() => (shown === undefined ? undefined : () => URL.revokeObjectURL(shown)), [shown]);
  if (url === undefined) return null;
  return (
    <>
      <Button ref={button} size="compact-sm" loading={load.isPending} onClick={() => load.mutate()}>
        Voir le PDF
      </Button>
      {load.isError ? (
        <span role="alert" className="inline-error">
          {messageOf(load.error)}
        </span>
      ) : null}
      {shown === undefined ? null : (
        <Dialog opener={button} onClose={() => setShown(undefined)} title="Compte rendu signé" size="90%">
          <iframe src={shown} title="Compte rendu signé (PDF)" className="pdf" />
          <a href={shown} download={`compte-rendu-${report.id}.pdf`}>
            Télécharger le PDF
          </a>
        </Dialog>
      )}
    </>
  );
}
