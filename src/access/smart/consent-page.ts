/** The page on which a person lets an app in, or not; with `launch/patient` also chooses whom the app works on. */
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../fhir/index.ts';
import type { AuthorizationRequest } from './authorization-request.ts';
import { appName, escapeHtml, formTargetOf, scopeInWords, sendPage } from './page.ts';

export interface ConsentPage {
  request: AuthorizationRequest;
  /** The request as it came, to be sent back with the decision. */
  query: string;
  /** Shows that the decision comes from this page. */
  proof: string;
  actor: Actor;
  /** Whom the app works on: named by the launch, or to be chosen among those found. */
  patient?: { chosen: PatientLine } | { searched: string; found: readonly PatientLine[] };
}

export interface PatientLine {
  id: string;
  name: string;
  birthDate?: string;
}

export function sendConsentPage(reply: FastifyReply, page: ConsentPage): FastifyReply {
  const { request, query, proof, actor, patient } = page;
  const { client, scopes, redirectUri } = request;
  const isChosen = patient === undefined || 'chosen' in patient || patient.found.length > 0;
  const items = scopes.map((scope) => `<li>${escapeHtml(scopeInWords(scope))}</li>`).join('');
  const site = new URL(redirectUri);
  const place = site.host || site.protocol;
  return sendPage(reply, 200, {
    title: 'Autoriser une application',
    formTarget: formTargetOf(redirectUri),
    body: `<p>L’application <strong>${appName(client)}</strong> (${escapeHtml(place)}) demande à agir en votre nom,
<strong>${escapeHtml(actor.display)}</strong>. Elle pourra :</p>
<ul>${items}</ul>
<p>${lifetimeInWords(request)}</p>
<p class="note">Elle ne pourra jamais plus que vous-même. Chacune de ses actions sera inscrite au journal à votre nom.</p>
${patient && 'found' in patient ? searchForm(query, patient.searched) : ''}
<form method="post" action="/oauth2/consent">
<input type="hidden" name="request" value="${escapeHtml(query)}"><input type="hidden" name="proof" value="${escapeHtml(proof)}">
${patient ? patientChoice(patient) : ''}
<p>${isChosen ? '<button class="accept" name="decision" value="accept">Autoriser</button>' : ''}
<button name="decision" value="refuse" formnovalidate>Refuser</button></p>
</form>`,
  });
}

/** With `offline_access` the list says thirty days already; how to end it earlier is worth knowing either way. */
function lifetimeInWords({ client, scopes }: AuthorizationRequest): string {
  const life = scopes.includes('offline_access') ? '30 jours' : `${Math.ceil(client.accessSeconds / 60)} minutes`;
  return `Durée de cette autorisation : ${life}, sauf si vous la retirez avant (page Mon compte).`;
}

function searchForm(query: string, searched: string): string {
  const fields = [...new URLSearchParams(query)].map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  return `<h2>Patient</h2>
<form method="get" action="/oauth2/consent">${fields.join('')}
<label>Nom du patient <input type="search" name="search" value="${escapeHtml(searched)}" required minlength="2" maxlength="100"></label>
<button>Chercher</button></form>`;
}

function patientChoice(patient: NonNullable<ConsentPage['patient']>): string {
  if ('chosen' in patient) return `<p>Patient : <strong>${line(patient.chosen)}</strong></p>`;
  if (patient.found.length === 0) {
    return `<p class="note">${patient.searched === '' ? 'Cherchez le patient concerné.' : 'Aucun patient trouvé.'}</p>`;
  }
  const choices = patient.found.map(
    (one) => `<label><input type="radio" name="patient" value="${escapeHtml(one.id)}" required> ${line(one)}</label>`,
  );
  return `<fieldset><legend>Choisissez un patient</legend>${choices.join('')}</fieldset>`;
}

function line({ name, birthDate }: PatientLine): string {
  const born = birthDate === undefined ? '' : `, né(e) le ${birthDate.split('-').reverse().join('/')}`;
  return escapeHtml(`${name}${born}`);
}
