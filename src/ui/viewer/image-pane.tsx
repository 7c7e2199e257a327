/** One image of a series with its tools: wheel and arrows scroll, drags change window, pan or zoom. */
import { useQuery } from '@tanstack/react-query';
import { type JSX, type KeyboardEvent, type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import { type ExpectedPatient, identityDifferences } from './identity-check.ts';
import { overlayOf } from './overlay.ts';
import { PaneToolbar, type PointerTool } from './pane-toolbar.tsx';
import type { Series, StackImage } from './series.ts';
import { createStack, type ImageStack, type StackState, startViewer } from './stack.ts';
import { usePointer } from './use-pointer.ts';
import { ctPresets } from './windowing.ts';

interface ImagePaneProps {
  seriesUid: string;
  series: readonly Series[];
  images: readonly StackImage[];
  expected: ExpectedPatient;
  /** The series' image is on the screen. */
  onShown(): void;
  onChoose(uid: string): void;
}

const notShown = 'L’image n’a pas pu être affichée. Passez à une autre image ou rechargez la page.';
const nothing: StackState = { index: 0, count: 0, windowing: undefined, zoom: 1, inverted: false };

export function ImagePane({ seriesUid, series, images, expected, onShown, onChoose }: ImagePaneProps): JSX.Element {
  const ready = useQuery({
    queryKey: ['viewer-engine'],
    queryFn: startViewer,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const element = useRef<HTMLDivElement>(null);
  const [tool, setTool] = useState<PointerTool>('window');
  const { stack, state, failure } = useStack(element, ready.isSuccess, seriesUid, images, onShown);
  usePointer(element, stack, tool);

  const shown = images[Math.min(state.index, images.length - 1)];
  const overlay = shown ? overlayOf(shown.metadata) : undefined;
  const differences = shown ? identityDifferences(expected, shown.metadata) : [];
  const chosen = series.find((one) => one.uid === seriesUid);
  const isCt = chosen?.modality === 'CT';

  const step = (delta: number): void => void stack?.stepBy(delta);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const preset = isCt ? ctPresets.find((one) => one.key === event.key) : undefined;
    const neighbour = series[series.findIndex((one) => one.uid === seriesUid) + (event.key === 'ArrowRight' ? 1 : -1)];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowDown') step(1);
    else if (event.key === 'ArrowUp') step(-1);
    else if (event.key === 'PageDown') step(10);
    else if (event.key === 'PageUp') step(-10);
    else if (event.key === 'Home') void stack?.goTo(0);
    else if (event.key === 'End') void stack?.goTo(state.count - 1);
    else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') neighbour && onChoose(neighbour.uid);
    else if (event.key === '+') stack?.zoomBy(1.2);
    else if (event.key === '-') stack?.zoomBy(1 / 1.2);
    else if (event.key === 'i') stack?.invert();
    else if (event.key === 'r') stack?.reset();
    else if (preset) stack?.setWindowing(preset);
    else return;
    event.preventDefault();
  };

  return (
    <section className="pane" aria-label="Image">
      <PaneToolbar
        tool={tool}
        onTool={setTool}
        stack={stack}
        presets={isCt ? ctPresets : []}
        inverted={state.inverted}
      />
      <div
        className="pane-image"
        tabIndex={0}
        role="slider"
        aria-roledescription="visionneuse d’images"
        aria-label={`Image de la série ${chosen?.description ?? chosen?.number ?? ''}`}
        aria-orientation="vertical"
        aria-valuemin={1}
        aria-valuemax={Math.max(1, state.count)}
        aria-valuenow={state.index + 1}
        aria-valuetext={`image ${state.index + 1} sur ${state.count}`}
        onKeyDown={onKeyDown}
      >
        <div ref={element} className="pane-canvas" />
        <div className="overlay overlay-top-left">
          {overlay?.patient.map((line) => (
            <div key={line}>{line}</div>
          ))}
        </div>
        <div className="overlay overlay-top-right">
          {overlay?.series.map((line) => (
            <div key={line}>{line}</div>
          ))}
        </div>
        <div className="overlay overlay-bottom-left">
          <div data-testid="compteur-images">
            image {state.count === 0 ? 0 : state.index + 1} / {state.count}
          </div>
          {overlay?.geometry.map((line) => (
            <div key={line}>{line}</div>
          ))}
        </div>
        <div className="overlay overlay-bottom-right">
          {state.windowing ? (
            <div>
              L {Math.round(state.windowing.width)} · C {Math.round(state.windowing.center)}
            </div>
          ) : null}
          <div>zoom {Math.round(state.zoom * 100)} %</div>
        </div>
        {differences.length > 0 ? (
          <div className="pane-failure pane-identity" role="alert">
            Attention : cette image n’est pas au nom du patient du dossier ({differences.join(', ')}).
          </div>
        ) : null}
        {failure ? (
          <div className="pane-failure" role="alert">
            {failure}
          </div>
        ) : null}
      </div>
    </section>
  );
}

/** Creates the stack when the element is there, shows the series, and takes new images as they arrive. */
function useStack(
  element: RefObject<HTMLDivElement | null>,
  ready: boolean,
  seriesUid: string,
  images: readonly StackImage[],
  onShown: () => void,
): { stack: ImageStack | undefined; state: StackState; failure: string | undefined } {
  const [stack, setStack] = useState<ImageStack>();
  const [state, setState] = useState(nothing);
  const [failure, setFailure] = useState<string>();
  const shownSeries = useRef<string>(undefined);
  const told = useRef(onShown);
  told.current = onShown;

  useEffect(() => {
    if (!ready || !element.current) return;
    const made: ImageStack = createStack(
      element.current,
      () => setState(made.state()),
      (missing) => setFailure(missing ? notShown : undefined),
    );
    setStack(made);
    shownSeries.current = undefined;
    return () => {
      setStack(undefined);
      made.destroy();
    };
  }, [element, ready]);

  const present = useCallback(async (): Promise<void> => {
    if (!stack || images.length === 0) return;
    const extending = shownSeries.current === seriesUid;
    shownSeries.current = seriesUid;
    setFailure(undefined);
    try {
      await (extending ? stack.extend(images) : stack.show(images, 0));
      setState(stack.state());
      told.current();
    } catch {
      setFailure(notShown);
    }
  }, [stack, images, seriesUid]);
  useEffect(() => void present(), [present]);

  return { stack, state, failure };
}
