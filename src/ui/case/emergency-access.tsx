/** Opens a record that is refused, in an emergency: for a reason, for an hour, told to its establishment and to the auditors. */
import { Alert, Button, Modal, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { parametersOf } from '../fhir/parameters.ts';
import { messageOf } from '../fhir/problem.ts';

const shortestReason = 10;
const longestReason = 1000;

export function EmergencyAccess({ caseId }: { caseId: string }): JSX.Element {
  const [isAsking, setAsking] = useState(false);
  const { client } = useServices();
  const queries = useQueryClient();
  const opening = useMutation({
    mutationFn: (reason: string) =>
      client.operate(`Task/${encodeURIComponent(caseId)}/$break-glass`, parametersOf({ reason })),
    onSuccess: () => {
      setAsking(false);
      return queries.invalidateQueries();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    opening.mutate(String(new FormData(event.currentTarget).get('reason') ?? '').trim());
  };
  return (
    <>
      <p>Si la prise en charge du patient l’exige, ce dossier peut être ouvert pour une heure.</p>
      <Button variant="default" color="red" onClick={() => setAsking(true)}>
        Accès en urgence…
      </Button>
      <Modal opened={isAsking} onClose={() => setAsking(false)} title="Ouvrir ce dossier en urgence ?">
        <form onSubmit={submit} className="stack">
          <p>
            L’établissement du patient et les auditeurs en sont avertis aussitôt, avec votre nom et le motif. L’accès se
            ferme de lui-même au bout d’une heure.
          </p>
          <Textarea
            name="reason"
            label="Motif"
            description={`${shortestReason} caractères au moins`}
            required
            autosize
            minRows={3}
            minLength={shortestReason}
            maxLength={longestReason}
            data-autofocus
          />
          {opening.error ? (
            <Alert color="red" role="alert">
              {messageOf(opening.error)}
            </Alert>
          ) : null}
          <div className="dialog-buttons">
            <Button variant="default" onClick={() => setAsking(false)}>
              Fermer sans rien faire
            </Button>
            <Button type="submit" color="red" loading={opening.isPending}>
              Ouvrir le dossier
            </Button>
          </div>
        </form>
      </Modal>
    </>
  );
}
