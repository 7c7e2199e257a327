/** `npm run demo`: the main job, or a scenario, from outside (design §4). */
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { demonstrateMainJob } from './demonstrate-main-job.ts';
import { playScenario, type Scenario, scenarios } from './scenario/index.ts';

/**
 * Without arguments the main job; `--scenario <name>` (or `all`) plays a scenario, `--list` names them.
 * @returns exit code 0 when everything was as it should be. Artefacts are in `demo-output/`.
 */
export async function demo(args: string[], env: Environment): Promise<number> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const output = join(process.cwd(), 'demo-output');
  const [option, name] = args;
  if (option === undefined) return (await demonstrateMainJob(output, env, print)) ? 0 : 1;
  if (option === '--list') {
    for (const scenario of scenarios) print(`${scenario.name.padEnd(20)} ${scenario.title}`);
    return 0;
  }
  const chosen = option === '--scenario' ? chosenScenarios(name) : undefined;
  if (!chosen) throw new CommandError('demo [--list | --scenario <nom> | --scenario all]');
  const failed: string[] = [];
  for (const scenario of chosen) {
    if (!(await playScenario(scenario, output, print))) failed.push(scenario.name);
    print('');
  }
  if (failed.length > 0) print(`Échec : ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

/** @throws CommandError naming the scenarios there are. */
function chosenScenarios(name: string | undefined): readonly Scenario[] {
  if (name === 'all') return scenarios;
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario) return [scenario];
  const known = scenarios.map((each) => each.name).join(', ');
  throw new CommandError(`Garde inconnue : « ${name ?? ''} ». Il y a ${known}, all.`);
}
