/** The case's state in French, tinted by what it asks of people. */
import type { JSX } from 'react';
import { abandonedStates, readingStates, signedStates } from '../words/case-status.ts';

export function StateBadge({ state, name }: { state: string; name: string }): JSX.Element {
  return <span className={`badge badge-${tintOf(state)}`}>{name}</span>;
}

function tintOf(state: string): string {
  if (signedStates.includes(state)) return 'done';
  if (abandonedStates.includes(state)) return 'closed';
  if (readingStates.includes(state)) return 'reading';
  if (state === 'ready') return 'ready';
  if (state === 'identity-hold' || state === 'information-wanted') return 'held';
  return 'waiting';
}
