/** Other ways in than a password of ours: buttons of the identity providers, and what went wrong on the way back from one. */
import { Alert, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { ask } from './people-client.ts';

interface Methods {
  openid: { name: string; label: string; start: string }[];
}

const mishaps: Readonly<Record<string, string>> = {
  annulee: 'Connexion annulée.',
  indisponible: 'Le service d’identité ne répond pas. Réessayez, ou utilisez votre identifiant.',
  interrompue: 'La connexion a été interrompue ou a duré trop longtemps. Recommencez.',
  refusee: 'Cette identité n’ouvre aucun compte ici. Adressez-vous à votre administrateur.',
};

export function IdentityProviders(): JSX.Element | null {
  const methods = useQuery({
    queryKey: ['sign-in', 'methods'],
    queryFn: () => ask<Methods>('GET', 'methods'),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { pathname, search } = window.location;
  const mishap = mishaps[new URLSearchParams(search).get('connexion') ?? ''];
  const returnTo = mishap === undefined ? `${pathname}${search}` : pathname;
  return (
    <>
      {mishap === undefined ? null : (
        <Alert color="yellow" role="alert">
          {mishap}
        </Alert>
      )}
      {(methods.data?.openid ?? []).map(({ name, label, start }) => (
        <Button
          key={name}
          component="a"
          href={`${start}?return=${encodeURIComponent(returnTo)}`}
          variant="default"
          fullWidth
        >
          Se connecter avec {label}
        </Button>
      ))}
    </>
  );
}

/** Where to end the session that a provider keeps of its own; undefined when there is none. */
export async function sessionElsewhere(): Promise<string | undefined> {
  const { redirect } = await ask<{ redirect?: string }>('POST', 'openid/end-session');
  return redirect;
}
