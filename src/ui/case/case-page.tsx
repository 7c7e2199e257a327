/** Dossier: patient always in sight, request and history on the left, images in the middle, work on the right. */
import { Loader } from '@mantine/core';
import type { Bundle, Task } from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { Link } from 'wouter';
import { found } from '../fhir/bundle.ts';
import { FhirProblem } from '../fhir/problem.ts';
import { mayBreakGlass } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { usePageTitle } from '../shell/use-page-title.ts';
import { patientIdentity } from '../words/people.ts';
import { CaseWorkspace } from './case-workspace.tsx';
import { EmergencyAccess } from './emergency-access.tsx';
import { useCase } from './use-case.ts';

export default function CasePage({ id }: { id: string }): JSX.Element {
  const session = useSession();
  const query = useCase(id);
  const bundle = query.data;
  const task = taskOf(bundle, id);
  const patient = found(bundle).at('Patient', task?.for);
  const name = patientIdentity(patient).name;
  usePageTitle(task ? name : 'Dossier');

  if (query.isPending) return <Loader className="centre" aria-label="Chargement du dossier" />;
  if (bundle === undefined || task === undefined) {
    const unknown = query.error instanceof FhirProblem && query.error.status === 404;
    return (
      <section className="page">
        <h1>Dossier indisponible</h1>
        <ErrorBanner error={query.error} onRetry={unknown ? undefined : () => void query.refetch()} />
        {unknown && mayBreakGlass(session) ? <EmergencyAccess caseId={id} /> : null}
        <p>
          <Link href="/">Revenir à la liste de travail</Link>
        </p>
      </section>
    );
  }
  return <CaseWorkspace task={task} bundle={bundle} />;
}

function taskOf(bundle: Bundle | undefined, id: string): Task | undefined {
  return found(bundle)
    .all('Task')
    .find((task) => task.id === id);
}
