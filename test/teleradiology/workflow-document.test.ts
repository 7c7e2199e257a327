import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { renderWorkflow } from '../../src/teleradiology/case/render.ts';

it('docs/workflow.md is what the table of transitions renders', async () => {
  expect(await readFile(new URL('../../docs/workflow.md', import.meta.url), 'utf8')).toBe(renderWorkflow());
});
