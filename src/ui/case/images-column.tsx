/** The images: those of the case, or another study of the patient under a banner that names it (IM-5). */
import { Button } from '@mantine/core';
import type { Patient } from '@medplum/fhirtypes';
import { type JSX, lazy, Suspense } from 'react';
import { maySeeImages } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import type { OtherStudy } from './other-study.ts';
import type { CaseStudy } from './study.ts';
import type { DisplayedSeries } from './use-displayed-series.ts';

const ImageViewer = lazy(() => import('../viewer/image-viewer.tsx'));

interface ImagesColumnProps {
  study: CaseStudy | undefined;
  /** Opened instead of the study of the case. */
  other: OtherStudy | undefined;
  patient: Patient | undefined;
  receiving: boolean;
  displayed: DisplayedSeries;
  onSeries(uids: readonly string[]): void;
  onCloseOther(): void;
}

const nothingSeen: ReadonlySet<string> = new Set();
const ignore = (): void => undefined;

export function ImagesColumn({
  study,
  other,
  patient,
  receiving,
  displayed,
  onSeries,
  onCloseOther,
}: ImagesColumnProps): JSX.Element {
  const session = useSession();
  const expected = {
    families: (patient?.name ?? []).flatMap((name) => name.family ?? []),
    birthDate: patient?.birthDate,
  };
  const opening = <p className="viewer-empty">Ouverture de la visionneuse…</p>;
  if (!maySeeImages(session)) return <p className="viewer-empty">Votre rôle ne donne pas accès aux images.</p>;
  if (other?.uid !== undefined)
    return (
      <div className="other-study" data-prior={other.ofCase ? undefined : true}>
        <div className="other-study-banner" role="status">
          <strong>{other.banner}</strong>
          {other.resource.description ? <span>{other.resource.description}</span> : null}
          <Button size="compact-sm" variant="default" onClick={onCloseOther}>
            Revenir à l’examen du dossier
          </Button>
        </div>
        <Suspense fallback={opening}>
          {/* What was seen of a prior is no evidence that today's exam was looked at (RP-7). */}
          <ImageViewer
            key={other.uid}
            studyUid={other.uid}
            expected={expected}
            receiving={other.ofCase && receiving}
            displayed={other.ofCase ? displayed.uids : nothingSeen}
            onDisplayed={other.ofCase ? displayed.add : ignore}
            onSeries={ignore}
          />
        </Suspense>
      </div>
    );
  if (study === undefined)
    return (
      <p className="viewer-empty">Aucune image reçue pour ce dossier. Les séries s’afficheront ici dès leur arrivée.</p>
    );
  return (
    <Suspense fallback={opening}>
      <ImageViewer
        key={study.uid}
        studyUid={study.uid}
        expected={expected}
        receiving={receiving}
        displayed={displayed.uids}
        onDisplayed={displayed.add}
        onSeries={onSeries}
      />
    </Suspense>
  );
}
