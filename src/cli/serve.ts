import { loadConfig } from '../config/index.ts';
import { startServer } from '../server.ts';
import { allowGrowth } from '../small-start.ts';
import type { Environment } from './environment.ts';
import { lastWordsBy } from './last-resort.ts';
import { expectLaterPackages } from './later-packages.ts';
import { letParentMoveClock } from './moved-clock.ts';
import { announceServer, holdDataFolder } from './running-server.ts';
import { hasUserInterface, userInterfaceFolder } from './user-interface.ts';

/** Runs the server until SIGINT or SIGTERM. Prints the ready line once every port accepts connections. */
export async function serve(_args: string[], env: Environment): Promise<number> {
  const running = await run(env);
  await running.stopped;
  return 0;
}

/** Its rooms are loaded where there is a demonstration only. */
async function demonstration() {
  const { demoHospital, seedDemonstration } = await import('./demonstration/index.ts');
  return { seed: seedDemonstration, loopbackSender: demoHospital };
}

/** Less than the minute and a half after which systemd kills. */
const stopPatienceMs = 60_000;

/** The running server, and a promise that settles when it has stopped in an orderly way. */
export async function run(env: Environment) {
  const config = loadConfig(env);
  expectLaterPackages();
  await holdDataFolder(config.dataDir);
  const server = await startServer(config, {
    ...(config.demo ? await demonstration() : {}),
    ...((await hasUserInterface()) ? { userInterface: userInterfaceFolder } : {}),
  });
  letParentMoveClock(config.demonstrationClock, server);
  const withdraw = await announceServer(server.httpPort, config.dataDir);
  const { mllpPort: mllp, mllpsPort: mllps, dimsePort: dimse = null, dimsesPort: dimses } = server;
  const ports = { mllp, ...(mllps ? { mllps } : {}), dimse, ...(dimses ? { dimses } : {}) };
  allowGrowth();
  process.stdout.write(`${JSON.stringify({ ready: true, http: server.httpUrl, ...ports })}\n`);

  lastWordsBy(server.log);
  const reload = () => void server.reload();
  process.on('SIGHUP', reload);
  const stopped = new Promise<void>((resolve, reject) => {
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      // Nothing acknowledged waits for an orderly end: it is on the disk. Who waits is the operator.
      setTimeout(() => {
        process.stderr.write('Passerelle : arrêt trop long, abrégé ; ce qui était accusé est gardé.\n');
        process.exit(1);
      }, stopPatienceMs).unref();
      server.close().then(withdraw).then(resolve, reject);
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
  return { config, server, stopped };
}
