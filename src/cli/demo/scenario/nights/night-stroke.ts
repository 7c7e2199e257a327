import type { Task } from '@medplum/fhirtypes';
import { expect } from '../../steps.ts';
import { examDone, phoned, protocolGiven, reportParameters, requestArrives, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { stroke } from '../exams.ts';
import { type FollowedCase, inOrder, minutesBetween, reaches } from '../followed-case.ts';
import { strokeReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';

const finding = 'Occlusion proximale de l’artère cérébrale moyenne droite';

/** WF-5, WF-9: urgent, nothing signed before the phone call, the critical result acknowledged. */
export const nightStroke: Scenario = {
  name: 'night-stroke',
  title: 'Un accident vasculaire cérébral à deux heures du matin',
  startsAt: '2027-01-13T02:10:00+01:00',
  async play(stage) {
    const followed = await requestArrives(stage, stroke(), 'urgent');
    await stage.clock.skipTo('02:13');
    await protocolGiven(stage, followed, 'radiologue', 'TDM cérébral sans injection, angioscanner si négatif.');
    await stage.clock.skipTo('02:31');
    await examDone(stage, followed);
    await stage.clock.skipTo('02:33');
    await taken(stage, followed, 'radiologue');
    await stage.clock.skipTo('02:36');
    await stage.does(displayName('radiologue'), 'veut signer avant d’avoir appelé', async () => [
      await followed.refused('radiologue', 'sign', reportParameters(strokeReport), 422, 'phone-exchange'),
    ]);
    await stage.clock.skipTo('02:38');
    await phoned(stage, followed, 'radiologue', 'Occlusion M1 droite, pas d’hémorragie : indication de thrombectomie.');
    await stage.clock.skipTo('02:40');
    await stage.does(displayName('radiologue'), `déclare un résultat critique : ${finding}`, async () => {
      await followed.operate('radiologue', 'declare-critical', [{ name: 'finding', valueString: finding }]);
      const [told] = await followed.toldTimes('critical-result', 1);
      return [`résultat critique ${(await alertOf(followed)).status}`, reaches(told, 'Practitioner/demandeur')];
    });
    await stage.clock.skipTo('02:44');
    await signed(stage, followed, 'radiologue', strokeReport, 'delivering');
    await stage.clock.skipTo('02:56');
    await stage.does('La plateforme', 'prévient aussi l’établissement : un quart d’heure sans accusé', async () => {
      const [, second] = await followed.toldTimes('critical-result', 2);
      return [
        reaches(second, 'Practitioner/demandeur,Organization/ch-exemple'),
        `${await followed.is('delivering')} : le dossier ne se ferme pas`,
      ];
    });
    await stage.clock.skipTo('02:58');
    await stage.does(displayName('demandeur'), 'répond « vu » : ce n’est pas assez', async () => [
      await followed.refused('demandeur', 'acknowledge-critical', [{ name: 'read-back', valueString: 'Vu' }], 422),
    ]);
    await stage.clock.skipTo('02:59');
    await stage.does(displayName('demandeur'), 'redit le résultat', async () => {
      const readBack = 'Occlusion de l’artère cérébrale moyenne droite, thrombectomie demandée.';
      await followed.operate('demandeur', 'acknowledge-critical', [{ name: 'read-back', valueString: readBack }]);
      const { status } = await alertOf(followed);
      expect(status === 'completed', `l’alerte est ${status}`);
      return [`résultat critique ${status}`, await followed.is('delivered')];
    });
    await stage.clock.skipTo('03:20');
    await stage.does('La plateforme', 'se tait : plus de rappel après l’accusé', async () => {
      await followed.toldTimes('critical-result', 2);
      return ['toujours deux messages'];
    });
    await stage.does(displayName('coordonnateur'), 'contrôle les délais du contrat', async () => {
      const task = await followed.read();
      const minutes = minutesBetween(task, 'images-received', 'signed');
      expect(minutes <= 60, `${minutes} minutes des images à la signature`);
      return [
        `des images à la signature : ${minutes} min (60 au plus)`,
        inOrder(task, ['requested', 'received', 'protocoled', 'images-received', 'signed', 'report-received']),
      ];
    });
    await closed(stage, followed, {
      reader: 'radiologue',
      trail: [
        'radiologue $protocol',
        'radiologue $claim',
        'radiologue $displayed',
        'radiologue $phone-exchange',
        'radiologue $declare-critical',
        'radiologue $sign',
        'demandeur $acknowledge-critical',
      ],
      told: { 'phone-exchange': 1, 'critical-result': 2, 'critical-acknowledgement': 1 },
    });
  },
};

async function alertOf(followed: FollowedCase): Promise<Task> {
  const [alert] = await followed.children('alert');
  expect(alert, 'pas de Task fille alert');
  return alert;
}
