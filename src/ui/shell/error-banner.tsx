/** A refusal or a failure, where it happened, with a way to try again. */
import { Alert, Button } from '@mantine/core';
import type { JSX } from 'react';
import { messageOf } from '../fhir/problem.ts';

export function ErrorBanner({ error, onRetry }: { error: unknown; onRetry?: () => void }): JSX.Element {
  return (
    <Alert color="red" role="alert" className="error-banner">
      {messageOf(error)}
      {onRetry ? (
        <Button size="compact-sm" variant="default" onClick={onRetry} ml="sm">
          Réessayer
        </Button>
      ) : null}
    </Alert>
  );
}
