/** Where a message is written. What was typed stays until the server has it; sent again after a lost answer, it is the same message. */
import { Button, FileButton, Textarea } from '@mantine/core';
import { type FormEvent, type JSX, useState } from 'react';
import type { ChatLine, Draft } from './chat.ts';
import { acceptedTypes, mostFiles, type PickedFile, readPicked, refusalOf } from './chat-files.ts';

interface ChatComposerProps {
  answered: ChatLine | undefined;
  /** What is sent answers the question the case waits for. */
  settles: boolean;
  pending: boolean;
  error: string | undefined;
  onForgetAnswer(): void;
  onSend(draft: Omit<Draft, 'answers'>): Promise<unknown>;
}

const longestText = 4000;

export function ChatComposer(props: ChatComposerProps): JSX.Element {
  const { answered, settles, pending, error, onForgetAnswer, onSend } = props;
  const [text, setText] = useState('');
  const [files, setFiles] = useState<readonly PickedFile[]>([]);
  const [refusal, setRefusal] = useState<string>();
  const [key, setKey] = useState(() => crypto.randomUUID());
  const isEmpty = text.trim() === '' && files.length === 0;

  const pick = async (picked: File[]): Promise<void> => {
    const reason = picked.map(refusalOf).find((one) => one !== undefined);
    const tooMany = files.length + picked.length > mostFiles ? `Au plus ${mostFiles} fichiers par message.` : undefined;
    setRefusal(reason ?? tooMany);
    if (reason !== undefined || tooMany !== undefined) return;
    setFiles([...files, ...(await Promise.all(picked.map(readPicked)))]);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isEmpty || pending) return;
    onSend({ text, files, key }).then(
      () => {
        setText('');
        setFiles([]);
        setKey(crypto.randomUUID());
      },
      () => undefined,
    );
  };

  return (
    <form className="stack chat-composer" onSubmit={submit}>
      {answered === undefined ? null : (
        <p className="muted">
          {settles ? 'Réponse à la question de' : 'En réponse à'} {answered.author}{' '}
          <Button size="compact-xs" variant="subtle" onClick={onForgetAnswer}>
            Ne plus répondre à ce message
          </Button>
        </p>
      )}
      <Textarea
        label="Votre message"
        description="Un message envoyé ne se modifie ni ne s’efface."
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        autosize
        minRows={2}
        maxLength={longestText}
      />
      {files.length === 0 ? null : (
        <ul className="chat-files" aria-label="Fichiers à joindre">
          {files.map((file) => (
            <li key={`${file.title} ${file.data.length}`}>
              {file.title}{' '}
              <Button
                size="compact-xs"
                variant="subtle"
                onClick={() => setFiles(files.filter((other) => other !== file))}
              >
                Retirer
              </Button>
            </li>
          ))}
        </ul>
      )}
      {refusal === undefined && error === undefined ? null : (
        <p role="alert" className="inline-error">
          {refusal ?? error}
        </p>
      )}
      <div className="dialog-buttons">
        <FileButton multiple accept={acceptedTypes.join(',')} onChange={(picked) => void pick(picked)}>
          {(props) => (
            <Button {...props} variant="default" size="compact-sm">
              Joindre un fichier
            </Button>
          )}
        </FileButton>
        <Button type="submit" size="compact-sm" loading={pending} disabled={isEmpty}>
          {settles ? 'Envoyer la réponse' : 'Envoyer'}
        </Button>
      </div>
    </form>
  );
}
