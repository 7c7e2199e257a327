/** The light image viewer of the case page (IM-9, UI-2): series on the left, one image, everything reachable from the keyboard. */
import { Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type JSX, useEffect, useMemo, useRef, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { pollMs } from '../shell/query-client.ts';
import type { DicomDataset } from './dicom-json.ts';
import type { ExpectedPatient } from './identity-check.ts';
import { ImagePane } from './image-pane.tsx';
import { seriesOf, stackOf } from './series.ts';
import { SeriesList } from './series-list.tsx';

const dicomJson = 'application/dicom+json';
export interface ImageViewerProps {
  studyUid: string;
  /** Whom the images must belong to. */
  expected: ExpectedPatient;
  /** Whether images may still arrive: the series are asked for again until they do not. */
  receiving: boolean;
  /** Series whose display the server already knows, or that this page told it. */
  displayed: ReadonlySet<string>;
  /** A series' first image is on the screen. */
  onDisplayed(seriesUid: string): void;
  /** All series known now. */
  onSeries(uids: readonly string[]): void;
}

export default function ImageViewer({
  studyUid,
  expected,
  receiving,
  displayed,
  onDisplayed,
  onSeries,
}: ImageViewerProps): JSX.Element {
  const { client } = useServices();
  const [chosen, setChosen] = useState<string>();
  const list = useQuery({
    queryKey: ['series', studyUid],
    queryFn: ({ signal }) =>
      client.json<DicomDataset[]>(
        `${client.dicomweb}/studies/${studyUid}/series?includefield=0008103E,00200011,00201209`,
        dicomJson,
        signal,
      ),
    refetchInterval: receiving ? pollMs : false,
  });
  const series = useMemo(() => seriesOf(list.data ?? []), [list.data]);
  const current = series.find((one) => one.uid === chosen) ?? series[0];
  const metadata = useQuery({
    // The number of instances is part of the key: images that arrive bring their metadata.
    queryKey: ['series-metadata', studyUid, current?.uid, current?.instances],
    queryFn: ({ signal }) =>
      client.json<DicomDataset[]>(
        `${client.dicomweb}/studies/${studyUid}/series/${current?.uid}/metadata`,
        dicomJson,
        signal,
      ),
    enabled: current !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (previous, query) => (query?.queryKey[2] === current?.uid ? previous : undefined),
  });
  // Absolute, because the loader's workers have no base address.
  const root = `${window.location.origin}${client.dicomweb}`;
  const images = useMemo(() => stackOf(metadata.data ?? [], root), [metadata.data, root]);

  const known = series.map((one) => one.uid).join(' ');
  const report = useRef(onSeries);
  report.current = onSeries;
  useEffect(() => report.current(known === '' ? [] : known.split(' ')), [known]);

  if (list.isPending) return <Loader className="centre" aria-label="Chargement des séries" />;
  if (list.isError) return <ErrorBanner error={list.error} onRetry={() => void list.refetch()} />;
  if (current === undefined) {
    return (
      <p className="viewer-empty">
        Aucune série enregistrée. {receiving ? 'Les images s’afficheront ici dès leur arrivée.' : ''}
      </p>
    );
  }
  return (
    <div className="viewer">
      <SeriesList series={series} current={current.uid} displayed={displayed} onChoose={setChosen} />
      {metadata.isError ? <ErrorBanner error={metadata.error} onRetry={() => void metadata.refetch()} /> : null}
      {metadata.isSuccess && images.length === 0 ? (
        <p className="viewer-empty">Cette série ne contient pas d’image affichable.</p>
      ) : null}
      {images.length > 0 ? (
        <ImagePane
          seriesUid={current.uid}
          series={series}
          images={images}
          expected={expected}
          onShown={() => onDisplayed(current.uid)}
          onChoose={setChosen}
        />
      ) : metadata.isPending ? (
        <Loader className="centre" aria-label="Chargement de la série" />
      ) : null}
    </div>
  );
}
