/** Pages of the authorization server: plain HTML without any script, in French, escaped wherever something comes from outside. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from './client.ts';
import { isResourceScope, type ResourceScope, type Scope } from './scopes.ts';

/** A text in HTML, between tags or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * @param formTarget where the form of the page may lead beside here: browsers hold `form-action` against redirects, too.
 * @param head further elements of the head.
 */
export function sendPage(
  reply: FastifyReply,
  status: number,
  page: { title: string; body: string; head?: string; formTarget?: string },
): FastifyReply {
  const { title, body, head = '', formTarget } = page;
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `form-action 'self'${formTarget ? ` ${formTarget}` : ''}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return reply
    .code(status)
    .headers({ 'content-security-policy': policy.join('; '), 'x-frame-options': 'DENY' })
    .type('text/html; charset=utf-8')
    .send(`<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><link rel="stylesheet" href="/oauth2/page.css">${head}</head>
<body><main><h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>
`);
}

/** What a person is told when a page cannot be shown: nothing of the inside. */
export function answerPageError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, statusCode, name } = error as { status?: number; statusCode?: number; name?: string };
  const code = status ?? statusCode ?? 503;
  if (code < 400 || code >= 500) {
    request.log.error({ error: name }, 'a page of the authorization server failed');
    return sendPage(reply, 503, {
      title: 'Service momentanément indisponible',
      body: '<p>Réessayez dans un instant.</p>',
    });
  }
  return sendPage(reply, code, {
    title: 'Demande refusée',
    body: '<p>La demande est incomplète, ou ne vous est pas permise. Recommencez depuis l’application.</p>',
  });
}

/** Source expression of a redirect address for `form-action`. */
export function formTargetOf(redirectUri: string): string {
  const { origin, protocol } = new URL(redirectUri);
  return origin === 'null' ? protocol : origin;
}

export const stylesheet = `body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: #1a1f26; background: #eef1f5; }
main { max-width: 40rem; margin: 2rem auto; padding: 1.5rem 2rem; background: #fff; border: 1px solid #d5dbe3; border-radius: 0.5rem; }
h1 { font-size: 1.4rem; margin-top: 0; }
h2 { font-size: 1.1rem; }
li { margin: 0.25rem 0; }
button { font: inherit; padding: 0.5rem 1rem; margin-right: 0.75rem; border-radius: 0.25rem; border: 1px solid #1f4e8c; background: #fff; color: #1f4e8c; }
button.accept { background: #1f4e8c; color: #fff; }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid #f2a900; outline-offset: 2px; }
input[type="search"] { font: inherit; padding: 0.4rem; width: 60%; }
label { display: block; padding: 0.3rem 0; }
.note { color: #4a5563; }
`;

const verbs = { c: 'créer', r: 'lire', u: 'modifier', d: 'supprimer', s: 'rechercher' } as const;

const typeNames: Readonly<Record<string, string>> = {
  Appointment: 'rendez-vous',
  Communication: 'messages',
  Condition: 'problèmes de santé',
  Consent: 'consentements',
  DiagnosticReport: 'comptes rendus',
  DocumentReference: 'documents',
  ImagingStudy: 'examens d’imagerie',
  Observation: 'observations',
  Organization: 'établissements',
  Patient: 'patients',
  Practitioner: 'professionnels',
  ServiceRequest: 'demandes d’examen',
  Task: 'dossiers de téléradiologie',
};

const otherWords = {
  openid: 'savoir qui vous êtes',
  fhirUser: 'connaître votre fiche de professionnel',
  launch: 'recevoir le dossier ouvert dans Passerelle',
  'launch/patient': 'travailler sur un patient que vous choisissez',
  offline_access: 'garder cet accès 30 jours, même après votre déconnexion',
} as const;

/** What a scope lets the app do, as a person reads it. */
export function scopeInWords(scope: Scope): string {
  return isResourceScope(scope) ? resourceScopeInWords(scope) : otherWords[scope];
}

function resourceScopeInWords({ level, type, rights, criteria }: ResourceScope): string {
  const acts = rights.map((right) => verbs[right]).join(', ');
  const what = type === '*' ? 'tout ce que vous pouvez voir' : (typeNames[type] ?? type);
  const whose = level === 'patient' ? ' de ce patient seulement' : '';
  const condition = criteria.length > 0 ? ` (${criteria.join(', ')})` : '';
  return `${acts} : ${what}${whose}${condition}`;
}

export function appName({ display }: Client): string {
  return escapeHtml(display);
}
