/** After signing in, back to the question an application asked: a page of the server's (`/oauth2/consent`), not of this application. */
import { Loader } from '@mantine/core';
import { type JSX, useEffect } from 'react';

const consent = '/oauth2/consent?';

/** Address to go on to, of a query `suite=…`; our own consent page and nothing else. */
export function consentAddress(query: string): string {
  const next = new URLSearchParams(query).get('suite') ?? '';
  return next.startsWith(consent) ? next : '/';
}

export function BackToConsent(): JSX.Element {
  useEffect(() => window.location.replace(consentAddress(window.location.search)), []);
  return <Loader className="centre" aria-label="Retour à la demande d’autorisation" />;
}
