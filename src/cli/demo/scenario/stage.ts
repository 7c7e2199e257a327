/** Everything a scenario plays on: a server of its own, its clock, a hospital, people, a timeline and a folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChildServer, startChildServer } from '../child-server.ts';
import { type Cast, createCast } from './cast.ts';
import { createHospital, type Hospital } from './hospital.ts';
import { createStageClock, type StageClock } from './stage-clock.ts';
import { createTimeline, type Timeline } from './timeline.ts';

const password = 'Demonstration-de-nuit-1';

export interface Stage {
  clock: StageClock;
  cast: Cast;
  hospital: Hospital;
  timeline: Timeline;
  /**
   * Somebody does something; it stands in the timeline with what `act` answers as evidence.
   * @throws whatever `act` throws, once it stands there as a failure: the scenario ends with it.
   */
  does(who: string, what: string, act: () => Promise<string[]>): Promise<void>;
  /** Keeps an artefact. */
  save(name: string, content: string | Uint8Array): Promise<void>;
  /** Stops the server and starts it again on the same data once the clock shows this. */
  restartAt(instant: Date): Promise<void>;
  stopServer(): Promise<void>;
  /** An operator's command on the server. @returns what it printed. */
  operator(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

/** @param startsAt instant the demonstration's clock shows at first, ISO 8601 with its offset. */
export async function openStage(options: {
  startsAt: string;
  output: string;
  print(line: string): void;
  describe(error: unknown): string;
}): Promise<Stage> {
  const { startsAt, output, print, describe } = options;
  await mkdir(output, { recursive: true });
  const start = (at: string, dataDir?: string) =>
    startChildServer({ DEMO_PASSWORD: password, DEMO_CLOCK: `${at},1` }, dataDir);
  let running: ChildServer = await start(startsAt);
  const server = () => running;
  const clock = await createStageClock(server);
  const cast = createCast(server, password);
  const save = (name: string, content: string | Uint8Array) => writeFile(join(output, name), content);
  const hospital = await createHospital({ server, cast, now: () => clock.now(), save });
  const timeline = createTimeline(print);
  await hospital.declare();
  return {
    clock,
    cast,
    hospital,
    timeline,
    save,
    async does(who, what, act) {
      try {
        const evidence = await act();
        timeline.add({ at: clock.now(), who, what, evidence });
      } catch (error) {
        timeline.add({ at: clock.now(), who, what, evidence: [describe(error)], failed: true });
        throw error;
      }
    },
    operator: (...args) => running.operator(...args),
    stopServer: () => running.stop({ keepData: true }),
    async restartAt(instant) {
      running = await start(instant.toISOString(), running.dataDir);
      cast.forget();
      await clock.skipTo(instant);
    },
    async close() {
      await hospital.close();
      await running.stop();
    },
  };
}
