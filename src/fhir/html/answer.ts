/** The page of one answer: a resource, a Bundle, an outcome, or nothing but a status. */
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { parseJson } from '../json/index.ts';
import { bundleView } from './bundle.ts';
import { type Html, html } from './html.ts';
import { jsonView } from './json-view.ts';
import { type Frame, layout, type Viewer } from './layout.ts';
import { pathOf } from './links.ts';
import { narrativeView } from './narrative.ts';
import { outcomeView } from './outcome.ts';
import { type SearchField, searchForm } from './search-form.ts';
import { instantText, statusText } from './words.ts';

export interface Asked {
  /** Service base URL, without a slash at the end. */
  base: string;
  /** Path below the base and query, as asked for. */
  path: string;
  query: string;
  type?: string;
  id?: string;
  viewer?: Viewer;
  /** Parameters of the type, when it is one that is searched. */
  fields?: readonly SearchField[];
}

/** Characters of JSON beyond which a page only links to it. */
const longestJson = 400_000;

/** @param body JSON of the resource answered, if any. */
export function answerPage(asked: Asked, status: number, body: string | undefined): string {
  const resource = body === undefined ? undefined : (parseJson(body) as Resource);
  const isError = status >= 400;
  const form =
    asked.type && !asked.id && asked.fields && status !== 401 ? formOf(asked, asked.type, asked.fields) : undefined;
  return layout(
    frameOf(asked, isError ? `${status} – ${statusText(status)}` : titleOf(asked, resource, status)),
    html`${!isError && tabs(asked)}${form}${resource && content(resource, body!, asked.base, status)}`,
  );
}

function frameOf({ base, type, id, viewer }: Asked, title: string): Frame {
  const trail = [
    ...(type ? [{ text: type, path: type }] : []),
    ...(type && id ? [{ text: id, path: `${type}/${id}` }] : []),
  ];
  return { base, title, trail, ...(viewer ? { viewer } : {}) };
}

function titleOf({ path, type, id }: Asked, resource: Resource | undefined, status: number): string {
  if (!resource) return statusText(status);
  const isOwnBundle = resource.resourceType === 'Bundle' && !(type === 'Bundle' && resource.id === id);
  if (!isOwnBundle) return [resource.resourceType, resource.id].filter(Boolean).join('/');
  return (
    path
      .replace(/\/?_search$/, '')
      .replace(/(?:^|\/)_history$/, ' – historique')
      .replace(/^ – h/, 'H') || 'Recherche'
  );
}

/** The same answer for software, and where the versions are. */
function tabs({ base, path, query, type, id }: Asked): Html {
  const root = pathOf(base);
  const here = (format: string) =>
    `${root}/${path}?${[query, `_format=${format}`, '_pretty=true'].filter(Boolean).join('&')}`;
  const instance = type && id ? `${root}/${type}/${id}` : undefined;
  const scope = instance ?? (type ? `${root}/${type}` : root);
  const isPast = path.includes('/_history/');
  return html`<nav class="tabs" aria-label="Formes"><a href="${root}/${path}${query && `?${query}`}" aria-current="page">Page</a><a href="${here('json')}">JSON</a><a href="${here('xml')}">XML</a>${
    !path.endsWith('_history') && html`<a href="${scope}/_history">Historique</a>`
  }${instance && (isPast || path.endsWith('_history')) && html`<a href="${instance}">Version actuelle</a>`}</nav>`;
}

function formOf({ base, path, query }: Asked, type: string, fields: readonly SearchField[]): Html {
  return searchForm({ type, action: `${pathOf(base)}/${path.replace(/\/_search$/, '')}`, fields, query });
}

function content(resource: Resource, body: string, base: string, status: number): Html {
  if (resource.resourceType === 'OperationOutcome') return outcomeView(resource as OperationOutcome, status);
  const isList = resource.resourceType === 'Bundle' && resource.type !== 'document' && resource.type !== 'message';
  return html`${versions(resource, base)}${isList ? bundleView(resource as Bundle, base) : narrativeOf(resource, base)}
<h2>JSON</h2>
${json(resource, body, base, isList)}`;
}

function versions({ resourceType, id, meta }: Resource, base: string): Html | undefined {
  const version = Number(meta?.versionId);
  if (!id || !(version > 0)) return undefined;
  const address = `${pathOf(base)}/${resourceType}/${id}/_history`;
  return html`<p>Version ${version}, du ${instantText(meta?.lastUpdated)}${
    version > 1 && html` · <a href="${address}/${version - 1}">version ${version - 1}</a>`
  }</p>`;
}

function narrativeOf(resource: Resource, base: string): Html | undefined {
  const div = 'text' in resource ? (resource.text as { div?: unknown } | undefined)?.div : undefined;
  if (typeof div !== 'string') return undefined;
  const view = narrativeView(div, base);
  return view
    ? html`<section class="narrative" aria-label="Texte">${view}</section>`
    : html`<p class="note">Le texte de la ressource contient des éléments qui ne peuvent pas être affichés.</p>`;
}

function json(resource: Resource, body: string, base: string, isFolded: boolean): Html {
  if (body.length > longestJson) return html`<p class="note">Trop long pour cette page : voir l’onglet JSON.</p>`;
  const view = jsonView(resource, base);
  return isFolded ? html`<details><summary>Afficher le JSON</summary>${view}</details>` : view;
}
