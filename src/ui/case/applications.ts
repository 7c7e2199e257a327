/** Third-party apps opened on a case (SMART EHR launch, docs/access/machines.md). */
import { FhirProblem } from '../fhir/problem.ts';
import { ask } from '../session/people-client.ts';

export interface OpenableApp {
  id: string;
  name: string;
}

/** @throws FhirProblem */
export async function openableApps(): Promise<OpenableApp[]> {
  return (await ask<{ applications: OpenableApp[] }>('GET', 'launch')).applications;
}

/** Address of the app with a launch for this person and this case. @throws FhirProblem */
export async function launchAddress(app: string, taskId: string): Promise<string> {
  const answer = await fetch('/oauth2/launch', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { Accept: 'application/json', 'X-Passerelle': 'ui' },
    body: new URLSearchParams({ client_id: app, task: taskId }),
  }).catch(() => {
    throw new FhirProblem(0, []);
  });
  if (!answer.ok) throw new FhirProblem(answer.status, []);
  return ((await answer.json()) as { url: string }).url;
}
