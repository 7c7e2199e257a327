/** The page at the base: which types there are, and what the server says of itself. */
import { html } from './html.ts';
import { layout, type Viewer } from './layout.ts';
import { pathOf } from './links.ts';

export function startPage(base: string, types: readonly string[], viewer: Viewer | undefined): string {
  const path = pathOf(base);
  return layout(
    { base, title: 'Serveur FHIR R4', ...(viewer ? { viewer } : {}) },
    html`<p>Adresse de base pour les logiciels : <code>${base}</code></p>
<nav class="tabs" aria-label="Description du serveur"><a href="${path}/metadata">Capacités</a><a href="${path}/openapi.json">OpenAPI</a><a href="${path}/_history">Historique</a></nav>
<h2>Types de ressources</h2>
<ul class="types">${types.map(
      (type) => html`
<li><a href="${path}/${type}">${type}</a></li>`,
    )}
</ul>`,
  );
}
