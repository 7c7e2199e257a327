/** Says that the server cannot be reached, and since when; nothing is lost silently. */
import { useQueryClient } from '@tanstack/react-query';
import { type JSX, useEffect, useState } from 'react';
import { FhirProblem } from '../fhir/problem.ts';

export function OfflineBanner(): JSX.Element | null {
  const offline = useServerUnreachable();
  if (!offline) return null;
  return (
    <div className="offline" role="alert">
      Hors ligne : le serveur ne répond pas. L’affichage peut être périmé ; les modifications non enregistrées restent à
      l’écran et partiront au retour de la connexion.
    </div>
  );
}

/** True from the first request that found nobody to the next one that succeeded. */
function useServerUnreachable(): boolean {
  const cache = useQueryClient().getQueryCache();
  const [offline, setOffline] = useState(false);
  useEffect(
    () =>
      cache.subscribe((event) => {
        if (event.type !== 'updated') return;
        if (event.action.type === 'success') setOffline(false);
        else if (event.action.type === 'failed' || event.action.type === 'error') {
          const error: unknown = event.action.error;
          if (error instanceof FhirProblem && error.status === 0) setOffline(true);
        }
      }),
    [cache],
  );
  return offline;
}
