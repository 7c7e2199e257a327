import { expect } from '../../steps.ts';
import { examDone, phoned, protocolGiven, reportParameters, requestArrives, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { stroke } from '../exams.ts';
import { inOrder, minutesBetween } from '../followed-case.ts';
import { strokeReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';

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
    await stage.clock.skipTo('02:44');
    await signed(stage, followed, 'radiologue', strokeReport);
    await stage.does(displayName('coordonnateur'), 'contrôle les délais du contrat', async () => {
      const task = await followed.read();
      const minutes = minutesBetween(task, 'images-received', 'signed');
      expect(minutes <= 60, `${minutes} minutes from the images to the signature`);
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
        'radiologue $sign',
      ],
      told: { 'phone-exchange': 1 },
    });
  },
};
