/** A stack of images on the screen: Cornerstone3D behind the few verbs this application needs. */
import {
  cache,
  Enums,
  imageLoader,
  imageLoadPoolManager,
  init as initCore,
  RenderingEngine,
  type Types,
} from '@cornerstonejs/core';
import { init as initLoader, wadors } from '@cornerstonejs/dicom-image-loader';
import { createScroll } from './scroll.ts';
import type { StackImage } from './series.ts';
import { rangeOf, type Windowing, windowingOf } from './windowing.ts';

export interface StackState {
  /** Position of the image shown, from 0. */
  index: number;
  count: number;
  windowing: Windowing | undefined;
  zoom: number;
  inverted: boolean;
}

export interface ImageStack {
  /** Shows another series from `index`. Resolves once its first image is on the screen. @throws Error when it cannot be. */
  show(images: readonly StackImage[], index: number): Promise<void>;
  /** Takes the images that arrived meanwhile, without moving what is shown. */
  extend(images: readonly StackImage[]): Promise<void>;
  goTo(index: number): Promise<void>;
  /** Moves on from the image last asked for, not from the one on the screen: a press while an image loads counts. */
  stepBy(delta: number): Promise<void>;
  setWindowing(windowing: Windowing): void;
  /** @param factor multiplies the present zoom. */
  zoomBy(factor: number): void;
  /** Moves the image by this many CSS pixels. */
  panBy(dx: number, dy: number): void;
  invert(): void;
  reset(): void;
  state(): StackState;
  destroy(): void;
}

/** Starts the library, once per page (the query cache keeps its answer); its decoders run in workers of our own origin. */
export function startViewer(): boolean {
  initCore();
  initLoader({
    maxWebWorkers: Math.max(1, Math.min(4, Math.floor(navigator.hardwareConcurrency / 2))),
    useLegacyMetadataProvider: true,
  });
  return true;
}

const zoomLimits = { lowest: 0.2, highest: 20 };

/** An image that is not there after this will not come: the person must know. */
const patienceMs = 20_000;

async function inTime<T>(asked: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the image did not come')), patienceMs);
  });
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

/**
 * @param onChange told after each rendered image or change of display.
 * @param onFailure told whether the image to be shown by `goTo` is missing.
 */
export function createStack(
  element: HTMLDivElement,
  onChange: () => void,
  onFailure: (missing: boolean) => void,
): ImageStack {
  const engine = new RenderingEngine(`passerelle-${crypto.randomUUID()}`);
  engine.enableElement({
    viewportId: 'main',
    type: Enums.ViewportType.STACK,
    element,
    defaultOptions: { background: [0, 0, 0] },
  });
  const viewport = engine.getViewport<Types.IStackViewport>('main');
  const resizing = new ResizeObserver(() => engine.resize(true, true));
  resizing.observe(element);
  element.addEventListener(Enums.Events.IMAGE_RENDERED, onChange);

  const scroll = createScroll(
    () => viewport.getImageIds().length,
    async (index) => {
      await shown(viewport.setImageIdIndex(index));
    },
    onFailure,
  );
  const has = (): boolean => viewport.getImageIds().length > 0;
  // The library resolves also when an image could not be loaded: what counts as shown is what was really decoded.
  const shown = async (asked: Promise<string>): Promise<void> => {
    await inTime(asked);
    if (!cache.getImage(viewport.getCurrentImageId())) throw new Error('the image was not loaded');
  };
  const place = async (images: readonly StackImage[], index: number): Promise<void> => {
    for (const { imageId, metadata } of images) wadors.metaDataManager.add(imageId, metadata as never);
    const imageIds = images.map((one) => one.imageId);
    const first = Math.max(0, Math.min(index, imageIds.length - 1));
    scroll.startAt(first);
    await shown(viewport.setStack(imageIds, first));
    viewport.render();
    prefetch(imageIds, index);
  };

  return {
    show: place,
    extend: async (images) => {
      // A press may be on its way: it is the image wanted that stays.
      const current = viewport.getImageIds()[scroll.wanted()];
      const { voiRange, invert } = viewport.getProperties();
      const [zoom, pan] = [viewport.getZoom(), viewport.getPan()];
      await place(
        images,
        images.findIndex((one) => one.imageId === current),
      );
      viewport.setProperties({ ...(voiRange ? { voiRange } : {}), invert: invert === true });
      viewport.setZoom(zoom);
      viewport.setPan(pan);
      viewport.render();
    },
    goTo: scroll.goTo,
    stepBy: scroll.stepBy,
    setWindowing: (windowing) => {
      if (!has()) return;
      viewport.setProperties({ voiRange: rangeOf(windowing) });
      viewport.render();
    },
    zoomBy: (factor) => {
      if (!has()) return;
      viewport.setZoom(Math.min(zoomLimits.highest, Math.max(zoomLimits.lowest, viewport.getZoom() * factor)));
      viewport.render();
    },
    panBy: (dx, dy) => {
      if (!has()) return;
      const [x, y] = viewport.getPan();
      viewport.setPan([x + dx, y + dy]);
      viewport.render();
    },
    invert: () => {
      if (!has()) return;
      viewport.setProperties({ invert: viewport.getProperties().invert !== true });
      viewport.render();
    },
    reset: () => {
      if (!has()) return;
      viewport.resetCamera();
      viewport.resetProperties();
      viewport.render();
    },
    state: () => {
      const { voiRange, invert } = has() ? viewport.getProperties() : {};
      return {
        index: has() ? viewport.getCurrentImageIdIndex() : 0,
        count: viewport.getImageIds().length,
        windowing: voiRange ? windowingOf(voiRange) : undefined,
        zoom: has() ? viewport.getZoom() : 1,
        inverted: invert === true,
      };
    },
    destroy: () => {
      imageLoadPoolManager.clearRequestStack(Enums.RequestType.Prefetch);
      element.removeEventListener(Enums.Events.IMAGE_RENDERED, onChange);
      resizing.disconnect();
      engine.destroy();
    },
  };
}

/** Loads the rest of the series behind the scenes, nearest images first. */
function prefetch(imageIds: readonly string[], from: number): void {
  imageLoadPoolManager.clearRequestStack(Enums.RequestType.Prefetch);
  const nearest = imageIds
    .map((imageId, index) => ({ imageId, distance: Math.abs(index - from) }))
    .sort((a, b) => a.distance - b.distance);
  for (const { imageId, distance } of nearest) {
    imageLoadPoolManager.addRequest(
      // A failed prefetch is asked again, and told, when the image is to be shown.
      () =>
        imageLoader.loadAndCacheImage(imageId).then(
          () => undefined,
          () => undefined,
        ),
      Enums.RequestType.Prefetch,
      { imageId },
      distance,
    );
  }
}
