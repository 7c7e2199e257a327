/** The four chapters, the act, saving by itself, and the signature. */
import { Alert, Autocomplete, Button, Textarea } from '@mantine/core';
import { type JSX, type KeyboardEvent, useState } from 'react';
import { Panel } from '../case/panel.tsx';
import acts from './ccam-acts.json' with { type: 'json' };
import { chaptersOf, type Draft, isCcam } from './chapters.ts';
import { type Remark, type Remarks, remarksOf } from './lint.ts';
import { PreliminaryButton } from './preliminary-button.tsx';
import type { ReportPanelProps } from './report-props.ts';
import { SaveIndicator } from './save-indicator.tsx';
import { SignDialog } from './sign-dialog.tsx';
import { useDraft } from './use-draft.ts';

interface ReportEditorProps extends ReportPanelProps {
  initial: Draft;
  stored: Draft | undefined;
  /** Whether it is the report itself, or a draft beside a published one. */
  kept: 'report' | 'draft';
}

const longestChapter = 20_000;
const noRemarks: Remarks = { byField: {}, general: [] };

export function ReportEditor({ initial, stored, kept, ...props }: ReportEditorProps): JSX.Element {
  const { draft, change, state, error, flush } = useDraft(props.task, initial, stored, props.canSave, kept);
  const title = props.amending ? 'Version suivante du compte rendu' : 'Compte rendu';
  const [signing, setSigning] = useState(false);
  const [remarks, setRemarks] = useState(noRemarks);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    if (event.key === 's') void flush();
    else if (event.key === 'Enter' && props.canSign) setSigning(true);
    else return;
    event.preventDefault();
  };

  return (
    <Panel title={title} note="brouillon">
      {/* The shortcuts belong to the whole editor, whichever field has the focus. */}
      <form
        className="stack report-editor"
        aria-label={title}
        onKeyDown={onKeyDown}
        onSubmit={(event) => event.preventDefault()}
      >
        {chaptersOf(props.facts.kind).map(({ key, label, hint }) => (
          <Textarea
            key={key}
            label={label}
            placeholder={hint}
            value={draft.text[key]}
            maxLength={longestChapter}
            autosize
            minRows={key === 'results' ? 6 : 2}
            maxRows={key === 'results' ? 18 : 8}
            error={remarkText(remarks.byField[key])}
            readOnly={!props.canSave}
            onChange={(event) => change({ ...draft, text: { ...draft.text, [key]: event.currentTarget.value } })}
          />
        ))}
        <CcamField
          draft={draft}
          modality={props.exam.modality}
          error={remarkText(remarks.byField.ccam)}
          readOnly={!props.canSave}
          onChange={change}
        />
        {remarks.general.length > 0 ? (
          <Alert
            color={remarks.general.some((one) => one.blocking) ? 'red' : 'yellow'}
            role="alert"
            title="Avant de signer"
          >
            {remarks.general.map((one) => (
              <p key={one.text}>{one.text}</p>
            ))}
          </Alert>
        ) : null}
        <div className="editor-foot">
          {props.signBlocked === undefined ? null : (
            <p className="held-back" role="status">
              Signature impossible pour le moment : {props.signBlocked}
            </p>
          )}
          {props.canSave ? (
            <SaveIndicator state={state} error={error} onSave={() => void flush()} />
          ) : (
            <span className="muted">Lecture seule</span>
          )}
          {props.canIssue ? (
            <PreliminaryButton
              task={props.task}
              draft={draft}
              flush={flush}
              onRefused={(issues) => setRemarks(remarksOf(issues))}
            />
          ) : null}
          <Button disabled={!props.canSign} onClick={() => setSigning(true)} title="Ctrl + Entrée">
            Signer…
          </Button>
        </div>
      </form>
      {signing ? (
        <SignDialog
          task={props.task}
          patient={props.patient}
          exam={props.exam}
          draft={draft}
          amending={props.amending}
          notDisplayed={props.notDisplayed}
          flush={flush}
          onClose={() => setSigning(false)}
          onRefused={(issues) => {
            setRemarks(remarksOf(issues));
            setSigning(false);
          }}
          onSigned={() => {
            setSigning(false);
            props.onChanged();
          }}
        />
      ) : null}
    </Panel>
  );
}

interface CcamFieldProps {
  draft: Draft;
  modality: string | undefined;
  error: string | undefined;
  readOnly: boolean;
  onChange(next: Draft): void;
}

/** The act is validated by the radiologist (RP-5): proposed from the request, free entry accepted. */
function CcamField({ draft, modality, error, readOnly, onChange }: CcamFieldProps): JSX.Element {
  const offered = acts.filter((act) => modality === undefined || act.modality === modality);
  const choose = (value: string): void => {
    const code = value.trim().split(/\s/)[0]?.toUpperCase() ?? '';
    const known = acts.find((act) => act.code === code);
    onChange({
      ...draft,
      ccam: known ? { code, display: known.display } : { code: value.trim().toUpperCase(), display: '' },
    });
  };
  return (
    <Autocomplete
      label="Acte CCAM validé"
      description={draft.ccam.display || 'Code de 7 caractères, par exemple ACQK001'}
      value={draft.ccam.code}
      onChange={choose}
      data={offered.map((act) => `${act.code} ${act.display}`)}
      maxDropdownHeight={220}
      maxLength={120}
      readOnly={readOnly}
      error={
        error ?? (draft.ccam.code !== '' && !isCcam(draft.ccam.code) ? 'Quatre lettres puis trois chiffres' : undefined)
      }
    />
  );
}

function remarkText(remarks: readonly Remark[] | undefined): string | undefined {
  return remarks === undefined || remarks.length === 0 ? undefined : remarks.map((one) => one.text).join(' ');
}
