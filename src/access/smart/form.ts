/** Forms of OAuth requests (RFC 6749 §3.1, §3.2: no parameter twice, an empty one is an absent one). */
import type { FastifyInstance } from 'fastify';
import { OAuthError } from './oauth-error.ts';

export type Form = ReadonlyMap<string, string>;

/** The longest is a signed assertion with its form around it. */
export const formLimitBytes = 16 * 1024;
const mostParameters = 40;

export function readForm(text: string): Form {
  const form = new Map<string, string>();
  let count = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++count > mostParameters) throw new OAuthError('invalid_request', 'The request has too many parameters');
    if (form.has(name)) throw new OAuthError('invalid_request', 'A parameter was sent twice');
    form.set(name, value);
  }
  return new Map([...form].filter(([, value]) => value !== ''));
}

/** The routes of `app` take forms as a body, and nothing else. */
export function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: formLimitBytes },
    (_request, body, done) => {
      try {
        done(null, readForm(String(body)));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/** A parameter the request must have. @throws OAuthError invalid_request. */
export function required(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw new OAuthError('invalid_request', `The parameter ${name} is missing`);
  return value;
}
