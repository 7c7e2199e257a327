/** Wheel and drags on the image. Main button: the chosen tool; middle: pan; right: zoom; wheel: scroll, with Ctrl: zoom. */
import { type RefObject, useEffect } from 'react';
import type { PointerTool } from './pane-toolbar.tsx';
import type { ImageStack } from './stack.ts';
import { dragged, type Windowing } from './windowing.ts';

/** Drag of this many pixels passes one image. */
const pixelsPerImage = 8;
/** A doubling of the zoom over this many pixels. */
const pixelsPerDoubling = 200;
const wheelZoom = 1.1;

export function usePointer(
  element: RefObject<HTMLDivElement | null>,
  stack: ImageStack | undefined,
  tool: PointerTool,
): void {
  useEffect(() => {
    const target = element.current;
    if (!target || !stack) return;
    let drag:
      | {
          tool: PointerTool;
          x: number;
          y: number;
          startX: number;
          startY: number;
          index: number;
          windowing: Windowing | undefined;
        }
      | undefined;

    const onDown = (event: PointerEvent): void => {
      const state = stack.state();
      const chosen = event.button === 1 ? 'pan' : event.button === 2 ? 'zoom' : tool;
      drag = {
        tool: chosen,
        x: event.clientX,
        y: event.clientY,
        startX: event.clientX,
        startY: event.clientY,
        index: state.index,
        windowing: state.windowing,
      };
      target.setPointerCapture(event.pointerId);
      target.parentElement?.focus();
      event.preventDefault();
    };
    const onMove = (event: PointerEvent): void => {
      if (!drag) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      drag.x = event.clientX;
      drag.y = event.clientY;
      if (drag.tool === 'pan') stack.panBy(dx, dy);
      else if (drag.tool === 'zoom') stack.zoomBy(2 ** (-dy / pixelsPerDoubling));
      else if (drag.tool === 'scroll')
        void stack.goTo(drag.index + Math.round((event.clientY - drag.startY) / pixelsPerImage));
      else if (drag.windowing)
        stack.setWindowing(dragged(drag.windowing, event.clientX - drag.startX, event.clientY - drag.startY));
    };
    const onUp = (): void => {
      drag = undefined;
    };
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      if (event.deltaY === 0) return;
      if (event.ctrlKey) stack.zoomBy(event.deltaY > 0 ? 1 / wheelZoom : wheelZoom);
      else void stack.stepBy(Math.sign(event.deltaY));
    };
    const noMenu = (event: Event): void => event.preventDefault();

    target.addEventListener('pointerdown', onDown);
    target.addEventListener('pointermove', onMove);
    target.addEventListener('pointerup', onUp);
    target.addEventListener('pointercancel', onUp);
    target.addEventListener('wheel', onWheel, { passive: false });
    target.addEventListener('contextmenu', noMenu);
    return () => {
      target.removeEventListener('pointerdown', onDown);
      target.removeEventListener('pointermove', onMove);
      target.removeEventListener('pointerup', onUp);
      target.removeEventListener('pointercancel', onUp);
      target.removeEventListener('wheel', onWheel);
      target.removeEventListener('contextmenu', noMenu);
    };
  }, [element, stack, tool]);
}
