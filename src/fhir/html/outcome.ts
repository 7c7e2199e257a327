/** OperationOutcome for people (https://hl7.org/fhir/R4/operationoutcome.html). */
import type { OperationOutcome } from '@medplum/fhirtypes';
import { type Html, html } from './html.ts';
import { issueText, severityText } from './words.ts';

export function outcomeView({ issue = [] }: Pick<OperationOutcome, 'issue'>, status: number): Html {
  return html`${status === 401 && signIn}<ul class="issues">${issue.map(
    ({ severity, code, diagnostics, details, expression = [] }) => html`
<li class="${severity}"><strong>${severityText(severity)}</strong> : ${issueText(code)}
${details?.text && html`<p>${details.text}</p>`}
${diagnostics && html`<p lang="en">${diagnostics}</p>`}
${expression.length > 0 && html`<p>Élément : ${expression.map((path) => html`<code>${path}</code> `)}</p>`}</li>`,
  )}
</ul>`;
}

const signIn = html`<p class="call"><a href="/">Connectez-vous à la page d’accueil</a>, puis revenez ici.</p>`;
