/** What went wrong with a step, under its form. */
import { Alert } from '@mantine/core';
import type { JSX } from 'react';
import { messageOf } from '../fhir/problem.ts';

export function StepError({ error }: { error: unknown }): JSX.Element | null {
  if (error === null || error === undefined) return null;
  return (
    <Alert color="red" role="alert">
      {messageOf(error)}
    </Alert>
  );
}
