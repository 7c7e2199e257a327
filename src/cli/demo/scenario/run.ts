/** Plays scenarios one after the other, each on a server of its own; what each leaves is in a folder of its name. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeFailure } from '../steps.ts';
import type { Scenario } from './scenario.ts';
import { openStage } from './stage.ts';
import { clockTime, longDate } from './timeline.ts';

/** @returns whether everything was as it should be. */
export async function playScenario(
  scenario: Scenario,
  folder: string,
  print: (line: string) => void,
): Promise<boolean> {
  const output = join(folder, scenario.name);
  await rm(output, { recursive: true, force: true });
  const startsAt = new Date(scenario.startsAt);
  const lines: string[] = [];
  const say = (line: string) => {
    lines.push(line);
    print(line);
  };
  say(`${scenario.name} : ${scenario.title} (le ${longDate(startsAt)} à ${clockTime(startsAt)})`);
  const start = performance.now();
  const stage = await openStage({ startsAt: scenario.startsAt, output, print: say, describe: describeFailure });
  const first = stage.clock.now();
  try {
    const failure = await scenario.play(stage).then(
      () => undefined,
      (error: unknown) => describeFailure(error),
    );
    // What went wrong outside a moment has not been told yet.
    if (failure !== undefined && !stage.timeline.moments.at(-1)?.failed) say(`  ✘ ${failure}`);
    const hours = ((stage.clock.now().getTime() - first.getTime()) / 3_600_000).toFixed(1).replace('.', ',');
    const seconds = Math.round((performance.now() - start) / 1000);
    say(`  ${failure === undefined ? 'Tout est vérifié' : 'Échec'} : ${hours} h de garde en ${seconds} s`);
    await stage.save('timeline.txt', `${lines.join('\n')}\n`);
    await stage.save('timeline.json', `${JSON.stringify(stage.timeline.moments, null, 2)}\n`);
    return failure === undefined;
  } finally {
    await stage.close();
  }
}
