/** A titled block of the case page that can be folded. */
import type { JSX, ReactNode } from 'react';

export function Panel({
  title,
  note,
  open = true,
  children,
}: {
  title: string;
  note?: string | undefined;
  open?: boolean;
  children: ReactNode;
}): JSX.Element {
  return (
    <details className="panel" open={open}>
      <summary>
        <h2>{title}</h2>
        {note ? <span className="muted panel-note">{note}</span> : null}
      </summary>
      <div className="panel-body">{children}</div>
    </details>
  );
}

/** One labelled fact. */
export function Fact({ label, children }: { label: string; children: ReactNode }): JSX.Element | null {
  if (children === undefined || children === null || children === '') return null;
  return (
    <div className="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
