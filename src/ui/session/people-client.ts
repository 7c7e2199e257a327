/** The routes for people under `/oauth2` (docs/access/people.md): JSON both ways, refusals as sentences the server wrote. */
import { FhirProblem } from '../fhir/problem.ts';

/** A refusal of these routes: `message` is the server's, in French. */
export class PeopleProblem extends Error {
  override name = 'PeopleProblem';
  readonly status: number;
  /** Code for programs: `proof_required`, `invalid_code`, … */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @throws PeopleProblem; FhirProblem when the session is over or the server does not answer. */
export async function ask<T>(
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<T> {
  const answer = await fetch(`/oauth2/${path}`, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: {
      Accept: 'application/json',
      'X-Passerelle': 'ui',
      ...(body ? { 'Content-Type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  }).catch(() => {
    throw new FhirProblem(0, []);
  });
  const content = (await answer.json().catch(() => ({}))) as { error?: string; message?: string };
  if (answer.ok) return content as T;
  if (content.error === 'login_required') throw new FhirProblem(401, []);
  if (content.message === undefined) throw new FhirProblem(answer.status, []);
  throw new PeopleProblem(answer.status, content.error ?? '', content.message);
}
