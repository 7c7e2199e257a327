/** The frame of every page: head, who is signed in, where one is. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Html, html } from './html.ts';
import { pathOf } from './links.ts';

/** The one style sheet, served beside the pages: inline style is forbidden by the server's Content-Security-Policy. */
export const stylesheet = readFileSync(new URL('./style.css', import.meta.url), 'utf8');
/** Path below the base. */
export const stylesheetPath = '_page/style.css';
const stylesheetVersion = createHash('sha256').update(stylesheet).digest('hex').slice(0, 12);

export interface Viewer {
  display: string;
  tenant: string;
}

export interface Frame {
  /** Service base URL, without a slash at the end. */
  base: string;
  title: string;
  viewer?: Viewer;
  /** Steps from the base to here. */
  trail?: readonly { text: string; path: string }[];
}

export function layout({ base, title, viewer, trail = [] }: Frame, content: Html): string {
  const path = pathOf(base);
  return html`<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – FHIR Passerelle</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${path}/${stylesheetPath}?v=${stylesheetVersion}">
</head>
<body>
<header>
<nav aria-label="Fil d’Ariane"><a class="home" href="${path}">FHIR Passerelle</a>${trail.map(
    (step) => html` <span aria-hidden="true">›</span> <a href="${path}/${step.path}">${step.text}</a>`,
  )}</nav>
<p class="viewer">${viewer ? html`${viewer.display} · ${viewer.tenant}` : html`<a href="/">Se connecter</a>`}</p>
</header>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.html;
}
