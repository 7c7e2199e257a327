import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { validateResource } from '../../src/fhir/validation/index.ts';
import { renderPlan } from '../../src/teleradiology/case/plan.ts';
import { renderWorkflow } from '../../src/teleradiology/case/render.ts';
import { renderActivity } from '../../src/teleradiology/kinds/activity.ts';
import { kinds } from '../../src/teleradiology/kinds/index.ts';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

// When one of these fails: node scripts/generate-workflow.ts
it('docs/workflow.md is what the tables of the case machine render', async () => {
  expect(await read('docs/workflow.md')).toBe(renderWorkflow());
});

it('the published plan and the definitions of the kinds are what the tables render, and valid', async () => {
  for (const definition of [renderPlan(), ...kinds.map(renderActivity)]) {
    expect(validateResource(definition)).toEqual([]);
    const stored = JSON.parse(await read(`fhir-profiles/plans/${definition.resourceType}-${definition.id}.json`));
    expect(stored).toEqual(JSON.parse(JSON.stringify(definition)));
  }
});
