/** Compte rendu: editor while it may be written, signed text and documents afterwards, nothing before. */
import { Loader } from '@mantine/core';
import { type JSX, useRef } from 'react';
import { useReport } from '../case/use-case.ts';
import { mayRead } from '../session/rights.ts';
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
  // An editor starts from what the server holds now, and once open stays open: a lost right must not make words disappear.
  const fresh = useRef(false);
  const opened = useRef(false);
  if (report.isFetchedAfterMount) fresh.current = true;
  if (props.canSave) opened.current = true;

  if (!mayRead(session, 'DiagnosticReport')) return null;
  if (report.isError && report.data === undefined)
    return <ErrorBanner error={report.error} onRetry={() => void report.refetch()} />;
  if (!fresh.current) return <Loader size="sm" aria-label="Chargement du compte rendu" />;
  const stored = report.data ?? undefined;
  if (stored !== undefined && !draftStatuses.includes(stored.status))
    return <SignedReport task={props.task} report={stored} reader={props.reader} />;
  if (!opened.current && stored === undefined) return null;
  return (
    <ReportEditor
      {...props}
      initial={firstDraft(props.request, props.facts, props.exam)}
      stored={stored === undefined ? undefined : draftOf(stored)}
    />
  );
}

const draftStatuses: readonly string[] = ['registered', 'partial', 'preliminary'];
