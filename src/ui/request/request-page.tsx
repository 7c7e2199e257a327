/** A requester without RIS asks: who the patient is, what is wanted, the question, a photograph or document. */
import { Alert, Button, Checkbox, FileInput, Select, Textarea, TextInput } from '@mantine/core';
import type { Task } from '@medplum/fhirtypes';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useLocation } from 'wouter';
import { attachTo } from '../case/attach-to-case.ts';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { useEstablishments } from '../rota/use-establishments.ts';
import { useSession } from '../session/session-context.tsx';
import { type Kind, kinds } from '../words/kinds.ts';
import { caseOf, ippSystem, missingIn, type RequestForm, requestBundle, samePatient } from './request-bundle.ts';

const empty: RequestForm = {
  kind: 'teleexpertise',
  urgent: false,
  establishment: '',
  ipp: '',
  family: '',
  given: '',
  birthDate: '',
  gender: 'unknown',
  act: '',
  question: '',
  history: '',
  callback: '',
};

const genders = [
  { value: 'female', label: 'Féminin' },
  { value: 'male', label: 'Masculin' },
  { value: 'unknown', label: 'Inconnu' },
];

export default function RequestPage(): JSX.Element {
  const { client, clock } = useServices();
  const session = useSession();
  const [, navigate] = useLocation();
  const establishments = useEstablishments();
  const [typed, setTyped] = useState(empty);
  const [file, setFile] = useState<File | null>(null);
  // A request sent again after a lost answer keeps its number: the server then names the case that is there.
  const [number] = useState(() => `WEB-${crypto.randomUUID()}`);
  const [opened, setOpened] = useState<string>();
  const only = establishments?.length === 1 ? `Organization/${establishments[0]?.value}` : '';
  const form = { ...typed, establishment: typed.establishment || only };
  const set = (change: Partial<RequestForm>): void => setTyped((before) => ({ ...before, ...change }));
  const missing = missingIn(form);

  const send = useMutation({
    mutationFn: async () => {
      const id = opened ?? (await open());
      setOpened(id);
      if (file !== null) await attachTo(client, (await client.read('Task', id)) as Task, file, 'other');
      return id;
    },
    onSuccess: (id) => navigate(`/dossier/${id}`),
  });
  const open = async (): Promise<string> => {
    const token = encodeURIComponent(`${ippSystem(form.establishment)}|${form.ipp.trim()}`);
    const known = found(await client.search('Patient', `identifier=${token}&_count=2`)).all('Patient')[0];
    if (known !== undefined) samePatient(form, known);
    const now = clock.now();
    return caseOf(await client.transaction(requestBundle(form, { requester: session.reference, known, number, now })));
  };

  const text = (name: keyof RequestForm, label: string, type?: string): JSX.Element => (
    <TextInput
      label={label}
      required
      {...(type ? { type } : {})}
      maxLength={200}
      value={String(form[name])}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <form
      className="page request-form"
      aria-label="Nouvelle demande"
      onSubmit={(event) => {
        event.preventDefault();
        send.mutate();
      }}
    >
      <h1>Nouvelle demande</h1>
      <Select
        label="Acte à distance"
        data={[...kinds]}
        value={form.kind}
        onChange={(kind) => set({ kind: (kind ?? 'teleexpertise') as Kind })}
        allowDeselect={false}
      />
      <Select
        label="Établissement demandeur"
        required
        data={(establishments ?? []).map(({ value, label }) => ({ value: `Organization/${value}`, label }))}
        value={form.establishment || null}
        onChange={(establishment) => set({ establishment: establishment ?? '' })}
      />
      {text('ipp', 'IPP')}
      {text('family', 'Nom de naissance')}
      {text('given', 'Prénoms')}
      {text('birthDate', 'Date de naissance', 'date')}
      <Select
        label="Sexe"
        data={genders}
        value={form.gender}
        onChange={(gender) => set({ gender: (gender ?? 'unknown') as RequestForm['gender'] })}
        allowDeselect={false}
      />
      {text('act', 'Avis ou acte demandé')}
      <Textarea
        label="Question posée"
        required
        autosize
        minRows={3}
        maxLength={4000}
        value={form.question}
        onChange={(event) => set({ question: event.currentTarget.value })}
      />
      <Textarea
        label="Antécédents et contexte"
        autosize
        minRows={2}
        maxLength={4000}
        value={form.history}
        onChange={(event) => set({ history: event.currentTarget.value })}
      />
      {text('callback', 'Numéro de rappel', 'tel')}
      <Checkbox
        label="Urgent : j’appelle l’expert"
        checked={form.urgent}
        onChange={(event) => set({ urgent: event.currentTarget.checked })}
      />
      <FileInput
        label="Photographie ou document (PDF ou JPEG, 20 Mo au plus)"
        accept="application/pdf,image/jpeg"
        value={file}
        onChange={setFile}
        clearable
      />
      {send.isError ? (
        <Alert color="red" role="alert">
          {opened === undefined ? '' : 'La demande est partie, sans sa pièce jointe. '}
          {messageOf(send.error)}
        </Alert>
      ) : null}
      {missing.length > 0 ? <p className="muted">Il manque : {missing.join(', ')}.</p> : null}
      <Button type="submit" disabled={missing.length > 0} loading={send.isPending}>
        {opened === undefined ? 'Envoyer la demande' : 'Joindre à nouveau'}
      </Button>
    </form>
  );
}
