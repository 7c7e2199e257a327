/** Writes docs/workflow.md and fhir-profiles/plans/ from the case machine and its kinds; a test keeps them equal. */
import { writeFileSync } from 'node:fs';
import { renderPlan } from '../src/teleradiology/case/plan.ts';
import { renderWorkflow } from '../src/teleradiology/case/render.ts';
import { renderActivity } from '../src/teleradiology/kinds/activity.ts';
import { kinds } from '../src/teleradiology/kinds/index.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
writeFileSync(at('docs/workflow.md'), renderWorkflow());
for (const plan of [renderPlan(), ...kinds.map(renderActivity)])
  writeFileSync(at(`fhir-profiles/plans/${plan.resourceType}-${plan.id}.json`), `${JSON.stringify(plan, null, 2)}\n`);
