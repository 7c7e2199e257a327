/** Critical results of the case: declared by who reads, said back by the site or on the telephone. */
import { Button } from '@mantine/core';
import type { Task } from '@medplum/fhirtypes';
import { type JSX, useState } from 'react';
import { messageOf } from '../fhir/problem.ts';
import { useSession } from '../session/session-context.tsx';
import { frenchDateTime } from '../time/format.ts';
import { type CriticalResult, criticalCategories, criticalResults, isOfSite } from './critical.ts';
import { AcknowledgeDialog, DeclareDialog } from './critical-dialogs.tsx';
import { Panel } from './panel.tsx';
import { useOperation } from './use-operation.ts';

interface CriticalPanelProps {
  task: Task;
  /** Child Tasks of the case. */
  items: readonly Task[];
  legal: readonly string[];
}

export function CriticalPanel({ task, items, legal }: CriticalPanelProps): JSX.Element | null {
  const session = useSession();
  const operation = useOperation(task);
  const [asked, setAsked] = useState<'declare' | 'acknowledge'>();
  const results = criticalResults(items);
  const open = results.find(({ isOpen }) => isOpen);
  const mayDeclare = legal.includes('declare-critical');
  const mayAcknowledge = open !== undefined && legal.includes('acknowledge-critical');
  if (results.length === 0 && !mayDeclare) return null;
  const ask = (what: 'declare' | 'acknowledge'): void => {
    operation.reset();
    setAsked(what);
  };
  const run = (name: string, parameters: Record<string, string>): void =>
    operation.mutate({ name, parameters }, { onSuccess: () => setAsked(undefined) });
  const state = {
    pending: operation.isPending,
    error: operation.isError ? messageOf(operation.error) : undefined,
    onClose: () => setAsked(undefined),
  };
  return (
    <Panel title="Résultat critique" note={open ? 'sans accusé' : undefined}>
      <ul className="critical" aria-label="Résultats critiques" aria-live="polite">
        {results.map((result) => (
          <CriticalLine key={result.id} result={result} />
        ))}
      </ul>
      <div className="dialog-buttons">
        {mayDeclare ? (
          <Button size="compact-sm" variant="default" className="danger-button" onClick={() => ask('declare')}>
            Déclarer un résultat critique
          </Button>
        ) : null}
        {mayAcknowledge ? (
          <Button size="compact-sm" color="red" onClick={() => ask('acknowledge')}>
            {isOfSite(session) ? 'En accuser prise en compte' : 'Noter l’appel téléphonique'}
          </Button>
        ) : null}
      </div>
      {asked === 'declare' ? <DeclareDialog {...state} onSubmit={(values) => run('declare-critical', values)} /> : null}
      {asked === 'acknowledge' && open ? (
        <AcknowledgeDialog
          {...state}
          finding={open.finding}
          byTelephone={!isOfSite(session)}
          onSubmit={(values) => run('acknowledge-critical', values)}
        />
      ) : null}
    </Panel>
  );
}

function CriticalLine({ result }: { result: CriticalResult }): JSX.Element {
  const category = criticalCategories.find(({ value }) => value === result.category)?.label;
  return (
    <li className={result.isOpen ? 'alert alert-severe' : 'alert alert-note'}>
      <strong>{result.finding}</strong>
      <span>{category}</span>
      <span className="muted">
        Déclaré le {frenchDateTime(result.declaredAt)}
        {result.declaredBy ? ` par ${result.declaredBy}` : ''}
      </span>
      {result.isOpen ? (
        <span>
          Annoncé {result.rounds} fois, sans accusé ; prochaine relance le {frenchDateTime(result.nextAt)}.
        </span>
      ) : (
        <span>Prise en compte le {frenchDateTime(result.acknowledgedAt)} : voir les messages.</span>
      )}
    </li>
  );
}
