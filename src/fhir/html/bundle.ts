/** A Bundle as a table with a line per entry, and its links as pages to turn (https://hl7.org/fhir/R4/bundle.html). */
import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { type Html, html } from './html.ts';
import { labelOf } from './label.ts';
import { hrefOf, pathOf } from './links.ts';
import { outcomeView } from './outcome.ts';
import { instantText, methodText, relationText } from './words.ts';

export function bundleView(bundle: Bundle, base: string): Html {
  const entries = bundle.entry ?? [];
  const outcomes = entries.flatMap(({ resource, search }) =>
    search?.mode === 'outcome' && resource ? [resource] : [],
  );
  const rows = entries.filter(({ search }) => search?.mode !== 'outcome');
  return html`${outcomes.map((outcome) => outcomeView(outcome as OperationOutcome, 200))}
<p>${countText(bundle, rows)}</p>
${paging(bundle, base)}
${
  rows.length > 0 &&
  html`<div class="wide"><table>
<thead><tr><th>Ressource</th><th>Libellé</th><th>Version</th><th>Modifiée le</th><th></th></tr></thead>
<tbody>${rows.map((entry) => row(entry, bundle.type === 'history', base))}
</tbody></table></div>`
}
${paging(bundle, base)}`;
}

function countText({ total }: Bundle, rows: readonly BundleEntry[]): string {
  const shown = `${rows.length} ressource${rows.length > 1 ? 's' : ''} sur cette page`;
  return total === undefined ? shown : `${shown}, ${total.toLocaleString('fr-FR')} en tout`;
}

function paging({ link = [] }: Bundle, base: string): Html | undefined {
  const isFirst = !link.some(({ relation }) => relation === 'previous');
  const pages = link.flatMap(({ relation, url }) => {
    const text = isFirst && relation === 'first' ? undefined : relationText(relation);
    const href = text === undefined ? undefined : hrefOf(url, base);
    return text && href ? [html`<a href="${href}" rel="${relation}">${text}</a> `] : [];
  });
  return pages.length > 0 ? html`<nav class="pages" aria-label="Pages">${pages}</nav>` : undefined;
}

function row({ fullUrl, resource, request, response, search }: BundleEntry, isHistory: boolean, base: string): Html {
  const version = resource?.meta?.versionId ?? /^W\/"(.+)"$/.exec(response?.etag ?? '')?.[1];
  const address = addressOf(fullUrl, resource, response?.location);
  const current = address === undefined ? undefined : hrefOf(address, base);
  const href = current && isHistory && version ? `${current}/_history/${version}` : current;
  const name = address?.startsWith(`${base}/`)
    ? address.slice(base.length + 1)
    : (address ?? resource?.resourceType ?? '');
  const updated = resource?.meta?.lastUpdated ?? response?.lastModified;
  const what = isHistory ? methodText(request?.method) : search?.mode === 'include' ? 'incluse' : response?.status;
  return html`
<tr><td>${href ? html`<a href="${href}">${name}</a>` : name}</td><td>${resource ? labelOf(resource as never) : ''}</td>
<td>${version}</td><td>${instantText(updated)}</td><td>${what ?? (resource ? historyLink(resource, base) : '')}</td></tr>`;
}

function addressOf(
  fullUrl: string | undefined,
  resource: Resource | undefined,
  location: string | undefined,
): string | undefined {
  return (
    fullUrl ??
    location?.replace(/\/_history\/.*$/, '') ??
    (resource?.id ? `${resource.resourceType}/${resource.id}` : undefined)
  );
}

function historyLink({ resourceType, id }: Resource, base: string): Html | string {
  return id ? html`<a href="${pathOf(base)}/${resourceType}/${id}/_history">historique</a>` : '';
}
