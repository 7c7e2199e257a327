/** Urgency in words and shape, not by colour alone. */
import type { JSX } from 'react';

export function UrgencyBadge({ urgent }: { urgent: boolean }): JSX.Element {
  return (
    <span className={urgent ? 'badge badge-urgent' : 'badge badge-routine'}>{urgent ? '▲ Urgent' : 'Programmé'}</span>
  );
}
