/** The built page names what it loads by its digest. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { afterAll, expect, it } from 'vitest';
import { integrity } from '../../../src/ui/vite-integrity.ts';

const root = await mkdtemp(join(tmpdir(), 'passerelle-sri-'));
afterAll(() => rm(root, { recursive: true }));

it('every script and style sheet of the page carries the digest of the file that is served', async () => {
  await mkdir(join(root, 'page'));
  await writeFile(
    join(root, 'page', 'index.html'),
    '<!doctype html><html><head></head><body><script type="module" src="/main.js"></script></body></html>',
  );
  await writeFile(join(root, 'page', 'main.js'), "import './main.css'; import('./later.js'); document.title = 'x';");
  await writeFile(join(root, 'page', 'later.js'), "export default 'later';");
  await writeFile(join(root, 'page', 'main.css'), 'body { margin: 0 }');
  const outDir = join(root, 'built');
  await build({
    root: join(root, 'page'),
    configFile: false,
    logLevel: 'error',
    plugins: [integrity()],
    build: { outDir, emptyOutDir: true, assetsInlineLimit: 0 },
  });
  const html = await readFile(join(outDir, 'index.html'), 'utf8');
  const loaded = [...html.matchAll(/<(?:script|link)\b[^>]*>/g)].map(([element]) => element);
  expect(loaded.length).toBeGreaterThan(1);
  for (const element of loaded) {
    const path = /(?:src|href)="([^"]+)"/.exec(element)![1]!;
    const digest = createHash('sha384')
      .update(await readFile(join(outDir, path)))
      .digest('base64');
    expect(element).toContain(`integrity="sha384-${digest}"`);
    expect(element).toContain('crossorigin');
  }
});
