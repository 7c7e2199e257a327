/** A dialog that is there while its parent shows it: Escape closes it, and the keyboard goes back to where it was opened from. */
import { Modal, type ModalProps } from '@mantine/core';
import { type JSX, type RefObject, useEffect, useState } from 'react';

interface DialogProps extends Omit<ModalProps, 'opened'> {
  /** What opened it, where that is busy, and so without the focus, while the dialog is made ready. */
  opener?: RefObject<HTMLElement | null>;
}

/** As Modal; Mantine's own return of the focus wants a modal that stays mounted. */
export function Dialog({ opener, ...props }: DialogProps): JSX.Element {
  const [openedFrom] = useState(() => opener?.current ?? document.activeElement);
  useEffect(() => () => focusAgain(openedFrom), [openedFrom]);
  return <Modal {...props} opened returnFocus={false} />;
}

/** How long what was confirmed may take to free, or to take away, the button the dialog was opened with. */
const patienceMs = 2_000;
const everyMs = 50;

/** What opened the dialog may be gone with what was done: then the page itself, so that the next Tab starts at its content. */
function focusAgain(openedFrom: Element | null, waitedMs = 0): void {
  const { activeElement, body } = document;
  const isNowhere = activeElement === null || activeElement === body;
  // Whoever went elsewhere meanwhile stays there.
  if (!isNowhere && activeElement !== openedFrom) return;
  if (isNowhere && openedFrom instanceof HTMLElement && openedFrom.isConnected) openedFrom.focus();
  if (waitedMs < patienceMs) setTimeout(() => focusAgain(openedFrom, waitedMs + everyMs), everyMs);
  else if (isNowhere) document.querySelector('main')?.focus();
}
