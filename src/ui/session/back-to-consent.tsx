/** After signing in, back to the question an application asked: a page of the server's (`/oauth2/consent`), not of this application. */
import { Loader } from '@mantine/core';
import { type JSX, useEffect } from 'react';
import { consentAddress } from './consent-address.ts';

export function BackToConsent(): JSX.Element {
  useEffect(() => window.location.replace(consentAddress(window.location.search)), []);
  return <Loader className="centre" aria-label="Retour à la demande d’autorisation" />;
}
