/** The night the clocks go forward, with the server down across two deadlines: nobody waits in silence (WF-4). */
import type { Communication, Flag } from '@medplum/fhirtypes';
import { expect } from '../../steps.ts';
import { examDone, phoned, protocolGiven, requestArrives, ris, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { cough, headache, stroke } from '../exams.ts';
import { clockRun, type FollowedCase, quote } from '../followed-case.ts';
import { headacheReport, strokeReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { clockTime } from '../timeline.ts';

/** Reminders at half, three quarters and the whole of the delay; a quarter of an hour later, the coordinators. */
const alarms = { deadline: 3, escalation: 1 };
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
      expect(failure, 'un serveur arrêté a répondu');
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
      await alarmed(first);
      await alarmed(second);
      return [`toujours ${alarms.deadline} rappels et ${alarms.escalation} recours par dossier`];
    });
    for (const [followed, text] of [
      [first, strokeReport],
      [second, headacheReport],
    ] as const) {
      await taken(stage, followed, 'radiologue2');
      await phoned(stage, followed, 'radiologue2', 'Résultat donné de vive voix ; retard expliqué.');
      await signed(stage, followed, 'radiologue2', text);
      await stage.does(displayName('coordonnateur'), 'voit le retard compté, et le signal baissé', async () => {
        const { late, due, stopped } = clockRun(await followed.read(), 'interpretation');
        expect(late && stopped && stopped > due, 'l’horloge ne dit pas que le compte rendu était en retard');
        expect((await flagsOf(stage, followed)).join() === 'inactive', 'le patient est encore signalé');
        return [`dû à ${clockTime(due)}, rendu à ${clockTime(stopped)}`];
      });
      await closed(stage, followed, {
        reader: 'radiologue2',
        trail: [
          'radiologue $protocol',
          'radiologue2 $claim',
          'radiologue2 $displayed',
          'radiologue2 $phone-exchange',
          'radiologue2 $sign',
        ],
        told: { ...alarms, 'phone-exchange': 1 },
      });
    }
  },
};

async function untold(followed: FollowedCase): Promise<void> {
  for (const category of Object.keys(alarms))
    expect((await followed.told(category)).length === 0, `${category} avant toute échéance`);
}

/** @throws Error unless every alarm was raised, once. */
async function alarmed(followed: FollowedCase): Promise<Communication[]> {
  const told: Communication[] = [];
  for (const [category, times] of Object.entries(alarms)) told.push(...(await followed.toldTimes(category, times)));
  const texts = new Set(told.map(({ payload }) => payload?.[0]?.contentString));
  expect(texts.size === told.length, `deux fois la même alarme : ${told.map(quote).join(' / ')}`);
  return told;
}

/** Every threshold that passed meanwhile was told when the server came back, not when it was due, and not later. */
async function raisedAtOnce(stage: Stage, followed: FollowedCase, backAt: Date): Promise<string[]> {
  const told = await alarmed(followed);
  for (const { sent } of told) {
    const at = new Date(sent ?? 0);
    expect(at >= backAt && at <= stage.clock.now(), `dit à ${sent}, le serveur est revenu à ${backAt.toISOString()}`);
  }
  expect(clockRun(await followed.read(), 'interpretation').late, 'le dossier n’est pas marqué en retard');
  expect((await flagsOf(stage, followed)).join() === 'active', 'le patient n’est pas signalé');
  return told.map(quote);
}

/** Status of the flags about lateness of this case's patient. */
async function flagsOf(stage: Stage, followed: FollowedCase): Promise<string[]> {
  const coordinator = await stage.cast.person('coordonnateur');
  const { for: patient } = await followed.read();
  return (await coordinator.search<Flag>('Flag', { subject: patient?.reference ?? '' })).map(({ status }) => status);
}
