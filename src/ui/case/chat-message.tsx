/** One line of the chat. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { frenchDateTime } from '../time/format.ts';
import type { ChatFile, ChatLine } from './chat.ts';
import { DownloadButton } from './download-button.tsx';

export function ChatMessage({ line, onAnswer }: { line: ChatLine; onAnswer: (() => void) | undefined }): JSX.Element {
  return (
    <li className={line.isMine ? 'chat-line chat-mine' : 'chat-line'} data-unread={line.isUnread || undefined}>
      <p className="chat-head">
        <strong>{line.author}</strong>
        {line.label ? <span className="chat-kind">{line.label}</span> : null}
        <span className="muted">{frenchDateTime(line.at)}</span>
      </p>
      {line.answers === undefined ? null : <blockquote className="muted">{line.answers}</blockquote>}
      {line.texts.length > 0 ? <p className="chat-text">{line.texts.join('\n')}</p> : null}
      {line.files.map((file) => (
        <FileButton key={file.part} id={line.id} file={file} />
      ))}
      <p className="chat-foot muted">
        {line.readers.length > 0 ? <span>Lu par {line.readers.join(', ')}</span> : null}
        {onAnswer && line.isMessage && !line.isMine ? (
          <Button size="compact-xs" variant="subtle" onClick={onAnswer}>
            Répondre
          </Button>
        ) : null}
      </p>
    </li>
  );
}

const endings: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'image/jpeg': 'jpg',
  'image/png': 'png',
};

function FileButton({ id, file }: { id: string; file: ChatFile }): JSX.Element {
  const { client } = useServices();
  return (
    <DownloadButton
      label={file.title}
      fileName={`message-${id}-${file.part}.${endings[file.contentType] ?? 'bin'}`}
      fetchFile={() => client.content(`Communication/${id}/$attachment?part=${file.part}`)}
    />
  );
}
