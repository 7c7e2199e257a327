/** Diffusion: where the report went, and the other side's acknowledgement. */
import type { Task } from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { frenchInstant } from '../time/format.ts';
import { deliveryLines } from './delivery-lines.ts';
import { Panel } from './panel.tsx';

export function DeliveryPanel({ deliveries }: { deliveries: readonly Task[] }): JSX.Element | null {
  const lines = deliveryLines(deliveries);
  if (lines.length === 0) return null;
  return (
    <Panel title="Diffusion">
      <ul className="deliveries" aria-label="Envois" aria-live="polite">
        {lines.map((one) => (
          <li key={one.key} className={`delivery delivery-${one.tone}`}>
            <span>
              <strong>{one.state}</strong> · {one.recipient}
            </span>
            {one.at ? <time dateTime={one.at}>{frenchInstant(one.at)}</time> : null}
            {one.withdrawn ? <span className="inline-error">{one.withdrawn}</span> : null}
            {one.reason ? <span className="inline-error">{one.reason}</span> : null}
            {one.evidence.map((text) => (
              <small key={text}>{text}</small>
            ))}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
