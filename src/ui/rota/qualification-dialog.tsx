/** Certificates of a radiologist: what is on file, what is added, and the scans. Administrators record, coordinators look. */
import { Button, FileInput, Group, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { saveBlob } from '../case/save-blob.ts';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { ColumnHeads } from '../shell/column-heads.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { frenchDate } from '../time/format.ts';
import { ContactForm } from './contact-form.tsx';
import {
  documentCategory,
  heldBy,
  type QualificationCode,
  qualificationCodes,
  qualificationNames,
  withQualification,
} from './qualifications.ts';
import type { Reader } from './readers.ts';
import { scanOf, storeScan } from './scans.ts';

interface QualificationDialogProps {
  reader: Reader;
  mayRecord: boolean;
  onDone(): void;
  onClose(): void;
}

export function QualificationDialog({ reader, mayRecord, onDone, onClose }: QualificationDialogProps): JSX.Element {
  const { client } = useServices();
  const queries = useQueryClient();
  const [recorded, setRecorded] = useState(0);
  const id = reader.reference.slice('Practitioner/'.length);
  const person = useQuery({
    queryKey: ['practitioner', id],
    queryFn: ({ signal }) => client.read('Practitioner', id, signal),
  });
  const scans = useQuery({
    queryKey: ['scans', id],
    queryFn: async ({ signal }) => {
      const query = `subject=${reader.reference}&category=${encodeURIComponent(documentCategory)}&_sort=-_lastUpdated&_elements=type,description,date`;
      return found(await client.search('DocumentReference', query, signal)).all('DocumentReference');
    },
  });
  const open = useMutation({
    mutationFn: async (document: string) => {
      const { blob, name } = scanOf(await client.read('DocumentReference', document));
      saveBlob(blob, name);
    },
  });
  const changed = (): void => {
    // An empty form for the next one.
    setRecorded(recorded + 1);
    void queries.invalidateQueries({ queryKey: ['practitioner', id] });
    void queries.invalidateQueries({ queryKey: ['scans', id] });
    onDone();
  };
  return (
    <Dialog onClose={onClose} title={`Qualifications : ${reader.name}`} size="lg">
      <div className="stack">
        {person.isError ? <ErrorBanner error={person.error} onRetry={() => void person.refetch()} /> : null}
        <table className="plain-table">
          <caption className="hidden">Qualifications enregistrées</caption>
          <ColumnHeads names={['Qualification', 'Numéro', 'Délivrée par', 'Du', 'Au']} />
          <tbody>
            {heldBy(person.data).map(({ code, number, issuer, start, end }) => (
              <tr key={`${code} ${number} ${start} ${end}`}>
                <th scope="row">{qualificationNames[code]}</th>
                <td>{number || '–'}</td>
                <td>{issuer || '–'}</td>
                <td>{start ? frenchDate(start) : '–'}</td>
                <td>{end ? frenchDate(end) : 'sans terme'}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {(scans.data ?? []).length > 0 ? (
          <ul>
            {(scans.data ?? []).map((scan) => (
              <li key={scan.id}>
                <Button size="compact-xs" variant="subtle" onClick={() => open.mutate(scan.id ?? '')}>
                  {scan.description ?? 'Pièce'}
                </Button>
              </li>
            ))}
          </ul>
        ) : null}
        {open.isError ? <ErrorBanner error={open.error} /> : null}
        {mayRecord && person.data ? <ContactForm key={`c${recorded}`} person={person.data} onDone={changed} /> : null}
        {mayRecord ? <NewQualification key={recorded} id={id} onDone={changed} /> : null}
      </div>
    </Dialog>
  );
}

function NewQualification({ id, onDone }: { id: string; onDone(): void }): JSX.Element {
  const { client } = useServices();
  const [code, setCode] = useState<QualificationCode>('insurance');
  const [file, setFile] = useState<File | null>(null);
  const record = useMutation({
    mutationFn: async (fields: { number: string; issuer: string; start: string; end: string }) => {
      const known = await client.read('Practitioner', id);
      await client.update(withQualification(known, { code, ...fields }));
      if (file) await storeScan(client, id, code, file);
    },
    onSuccess: onDone,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    record.mutate({ number: text('number'), issuer: text('issuer'), start: text('start'), end: text('end') });
  };
  return (
    <form onSubmit={submit} className="stack">
      <Select
        label="Ajouter"
        data={qualificationCodes.map((each) => ({ value: each, label: qualificationNames[each] }))}
        value={code}
        allowDeselect={false}
        onChange={(value) => setCode(value as QualificationCode)}
      />
      <Group grow>
        <TextInput name="number" label="Numéro" maxLength={100} autoComplete="off" />
        <TextInput name="issuer" label="Délivrée par" maxLength={200} autoComplete="off" />
      </Group>
      <Group grow>
        <TextInput name="start" type="date" label="Valable du" />
        <TextInput name="end" type="date" label="Au (compris)" required={code !== 'diploma'} />
      </Group>
      <FileInput
        label="Pièce (PDF, JPEG ou PNG, 5 Mo au plus)"
        accept="application/pdf,image/jpeg,image/png"
        value={file}
        onChange={setFile}
        clearable
      />
      {record.isError ? <ErrorBanner error={record.error} /> : null}
      <Button type="submit" loading={record.isPending}>
        Enregistrer
      </Button>
    </form>
  );
}
