/** Compte rendu: editor while it may be written, signed text and documents afterwards, nothing before. */
import { Loader } from '@mantine/core';
import { type JSX, useRef } from 'react';
import { itemOf } from '../case/case-facts.ts';
import { Panel } from '../case/panel.tsx';
import { useDraftReport, useReport } from '../case/use-case.ts';
import { mayRead } from '../session/rights.ts';
import { hasRole } from '../session/session.ts';
import { useSession } from '../session/session-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { draftOf } from './chapters.ts';
import { firstDraft } from './first-draft.ts';
import { ReportEditor } from './report-editor.tsx';
import type { ReportPanelProps } from './report-props.ts';
import { SignedReport } from './signed-report.tsx';

export function ReportPanel(props: ReportPanelProps): JSX.Element | null {
  const session = useSession();
  const report = useReport(props.task);
  // Known to write before the legal actions are: an editor that opened too early would put the signed words in place of the saved ones.
  const needsDraft = props.canSave || props.amending;
  const draft = useDraftReport(props.task, needsDraft);
  // An editor starts from what the server holds now, and once open stays open: a lost right must not make words disappear.
  const fresh = useRef({ report: false, draft: false });
  const opened = useRef(false);
  if (report.isFetchedAfterMount) fresh.current.report = true;
  if (needsDraft && draft.isFetchedAfterMount) fresh.current.draft = true;
  if (props.canSave) opened.current = true;

  if (!mayRead(session, 'DiagnosticReport')) return null;
  if (props.hiddenBecause !== undefined)
    return (
      <Panel title="Compte rendu">
        <p className="muted">{props.hiddenBecause}</p>
      </Panel>
    );
  const failed = [report, draft].find((one) => one.isError && one.data === undefined);
  if (failed) return <ErrorBanner error={failed.error} onRetry={() => void failed.refetch()} />;
  if (!fresh.current.report || (needsDraft && !fresh.current.draft))
    return <Loader size="sm" aria-label="Chargement du compte rendu" />;
  const stored = report.data ?? undefined;
  const published = stored !== undefined && !draftStatuses.includes(stored.status) ? stored : undefined;
  const isSigned = published !== undefined && published.status !== 'preliminary';
  const shown = published ? <SignedReport task={props.task} report={published} reader={props.reader} /> : null;
  const isBegun = published === undefined && itemOf(props.task.output, 'report') !== undefined;
  const writes = isSigned
    ? props.amending
    : opened.current || isBegun || (stored !== undefined && published === undefined);
  if (!writes) return shown;
  // Words being written are no result: who is of the site is not even sent them.
  if (!hasRole(session, 'radiologist', 'expert') && !props.canSave)
    return (
      shown ?? (
        <Panel title="Compte rendu">
          <p className="muted">En cours de rédaction : il s’affiche ici une fois émis ou signé.</p>
        </Panel>
      )
    );
  const start = draft.data ?? stored;
  return (
    <>
      {isSigned ? shown : null}
      <ReportEditor
        {...props}
        key={isSigned ? 'addendum' : 'report'}
        initial={firstDraft(props.request, props.facts, props.exam)}
        stored={start === undefined ? undefined : draftOf(start)}
        kept={published === undefined ? 'report' : 'draft'}
      />
    </>
  );
}

const draftStatuses: readonly string[] = ['registered', 'partial'];
