import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../src/cli/demo/child-server.ts';
import { type MainJob, mainJob } from '../src/cli/demo/main-job.ts';
import { runSteps } from '../src/cli/demo/steps.ts';

const password = 'Nuit-de-garde-2026';
let output = '';
let server: ChildServer;
let job: MainJob;

beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'passerelle-main-job-'));
  server = await startChildServer({ DEMO_PASSWORD: password });
  job = await mainJob({ server, password, output });
});
afterAll(async () => {
  await job?.close();
  await server?.stop();
  await rm(output, { recursive: true, force: true });
});

it('brings a request and its images in and a signed, acknowledged report back, seen from outside only', async () => {
  const lines: string[] = [];
  const passed = await runSteps(job.steps, (line) => lines.push(line));
  expect(passed, lines.join('\n')).toBe(true);
  const artefacts = ['report.pdf', 'report.cda.xml', 'answer-oru.hl7', 'report-mdm.hl7', 'case.json', 'audit.ndjson'];
  for (const name of artefacts) expect((await readFile(join(output, name))).length, name).toBeGreaterThan(200);
}, 120_000);
