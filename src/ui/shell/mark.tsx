/** The product's mark: a footbridge. */
import type { JSX } from 'react';

export function Mark(): JSX.Element {
  return (
    <span className="mark">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
        <path d="M3 21c4-11 22-11 26 0" fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round" />
        <path d="M3 25h26M9 25v-7M16 25v-11M23 25v-7" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
      </svg>
      <span>Passerelle</span>
    </span>
  );
}
