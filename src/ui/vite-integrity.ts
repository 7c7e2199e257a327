/**
 * Subresource integrity (https://www.w3.org/TR/SRI/) of what the page loads by name: a script or style sheet that was changed between
 * the build and the browser does not run. What scripts load themselves is named by hashes inside files that are checked.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Elements Vite writes: one element, its attributes in double quotes. */
const loading = /<(?:script|link)\b[^>]*?\b(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"[^>]*>/g;

/** Adds `integrity` to the built `index.html`, after every file is written. */
export function integrity(): Plugin {
  return {
    name: 'passerelle-integrity',
    apply: 'build',
    async writeBundle({ dir = '' }) {
      const page = join(dir, 'index.html');
      const html = await readFile(page, 'utf8');
      const hashes = new Map<string, string>();
      for (const [, path = ''] of html.matchAll(loading)) {
        hashes.set(
          path,
          createHash('sha384')
            .update(await readFile(join(dir, path)))
            .digest('base64'),
        );
      }
      const marked = html.replace(loading, (element, path: string) =>
        element.replace(/\s*\/?>$/, ` integrity="sha384-${hashes.get(path)}">`),
      );
      await writeFile(page, marked);
    },
  };
}
