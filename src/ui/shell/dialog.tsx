/** A dialog that is there while its parent shows it: Escape closes it, and the keyboard goes back to where it was opened from. */
import { Modal, type ModalProps } from '@mantine/core';
import { type JSX, useEffect, useState } from 'react';

/** As Modal; Mantine's own return of the focus wants a modal that stays mounted. */
export function Dialog(props: Omit<ModalProps, 'opened'>): JSX.Element {
  const [openedFrom] = useState(() => document.activeElement);
  useEffect(() => () => focusAgain(openedFrom), [openedFrom]);
  return <Modal {...props} opened returnFocus={false} />;
}

/** A button that is busy with what was confirmed takes the focus again only when it is done. */
const patienceMs = 500;
const everyMs = 50;

/** What opened the dialog may be gone with what was done: then the page itself, so that the next Tab starts at its content. */
function focusAgain(openedFrom: Element | null, waitedMs = 0): void {
  if (openedFrom instanceof HTMLElement && openedFrom.isConnected) openedFrom.focus();
  const { activeElement, body } = document;
  // Whoever went elsewhere meanwhile stays there.
  if (activeElement !== null && activeElement !== body && !activeElement.closest('[role="dialog"]')) return;
  if (waitedMs < patienceMs) setTimeout(() => focusAgain(openedFrom, waitedMs + everyMs), everyMs);
  else document.querySelector('main')?.focus();
}
