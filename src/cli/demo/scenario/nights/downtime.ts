/** The night the clocks go forward, with the server down across two deadlines: nobody waits in silence (WF-4). */
import { expect } from '../../steps.ts';
import { examDone, phoned, protocolGiven, requestArrives, ris, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { cough, headache, stroke } from '../exams.ts';
import { type FollowedCase, quote } from '../followed-case.ts';
import { headacheReport, strokeReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { clockTime } from '../timeline.ts';

/** Half, three quarters and the whole of the delay. */
const reminders = 3;
const server = 'Le serveur';

export const downtime: Scenario = {
  name: 'downtime',
  title: 'Le serveur arrêté à travers deux échéances, la nuit du passage à l’heure d’été',
  startsAt: '2027-03-28T00:30:00+01:00',
  async play(stage) {
    const first = await requestArrives(stage, stroke(), 'urgent');
    await protocolGiven(stage, first, 'radiologue', 'TDM cérébral sans injection.');
    await stage.clock.skipTo('00:40');
    await examDone(stage, first);
    const second = await requestArrives(stage, headache(), 'urgent');
    await protocolGiven(stage, second, 'radiologue', 'TDM cérébral sans injection.');
    await stage.clock.skipTo('00:55');
    await examDone(stage, second);
    await stage.clock.skipTo('01:05');
    await stage.does(server, 's’arrête (aucune alarme n’est encore due)', async () => {
      await untold(first);
      await untold(second);
      await stage.stopServer();
      return ['le processus est terminé'];
    });
    await stage.does(ris, 'veut envoyer une demande : elle reste chez lui', async () => {
      const failure = await stage.hospital.request(cough()).then(
        () => undefined,
        (error: Error) => error,
      );
      expect(failure, 'a stopped server answered');
      return ['connexion refusée, rien n’est acquitté'];
    });
    const backAt = new Date('2027-03-28T03:20:00+02:00');
    await stage.does(server, 'redémarre après les deux échéances (à 2 h il était 3 h)', async () => {
      await stage.restartAt(backAt);
      return [`01:40 et 01:55 sont passées, il est ${clockTime(stage.clock.now())}`];
    });
    await stage.does(displayName('coordonnateur'), 'reçoit aussitôt chaque alarme, une seule fois', async () => [
      ...(await raisedAtOnce(stage, first, backAt)),
      ...(await raisedAtOnce(stage, second, backAt)),
    ]);
    await requestArrives(stage, cough(), 'routine');
    await stage.clock.skipTo('03:25');
    await stage.does(server, 's’arrête et redémarre encore : rien n’est répété', async () => {
      await stage.stopServer();
      await stage.restartAt(new Date('2027-03-28T03:30:00+02:00'));
      await stage.clock.skipTo('03:35');
      await first.toldTimes('deadline', reminders);
      await second.toldTimes('deadline', reminders);
      return [`toujours ${reminders} rappels par dossier`];
    });
    for (const [followed, text] of [
      [first, strokeReport],
      [second, headacheReport],
    ] as const) {
      await taken(stage, followed, 'radiologue2');
      await phoned(stage, followed, 'radiologue2', 'Résultat donné de vive voix ; retard expliqué.');
      await signed(stage, followed, 'radiologue2', text);
      await closed(stage, followed, {
        reader: 'radiologue2',
        trail: [
          'radiologue $protocol',
          'radiologue2 $claim',
          'radiologue2 $displayed',
          'radiologue2 $phone-exchange',
          'radiologue2 $sign',
        ],
        told: { deadline: reminders, 'phone-exchange': 1 },
      });
    }
  },
};

async function untold(followed: FollowedCase): Promise<void> {
  expect((await followed.told('deadline')).length === 0, 'reminded before anything was due');
}

/** Every threshold that passed meanwhile was told when the server came back, not when it was due, and not later. */
async function raisedAtOnce(stage: Stage, followed: FollowedCase, backAt: Date): Promise<string[]> {
  const told = await followed.toldTimes('deadline', reminders);
  for (const { sent } of told) {
    const at = new Date(sent ?? 0);
    expect(at >= backAt && at <= stage.clock.now(), `told at ${sent}, the server came back at ${backAt.toISOString()}`);
  }
  const texts = new Set(told.map(({ payload }) => payload?.[0]?.contentString));
  expect(texts.size === reminders, `the same reminder twice: ${[...texts].join(' / ')}`);
  return told.map(quote);
}
