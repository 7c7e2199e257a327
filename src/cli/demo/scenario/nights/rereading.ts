/** The case was delivered, its reader is gone, the establishment doubts (WF-7). */
import { expect } from '../../steps.ts';
import { displaySeries } from '../../viewer.ts';
import { delivered } from '../beats.ts';
import { displayName } from '../cast.ts';
import { chargesOf } from '../charges.ts';
import { closed } from '../closing.ts';
import { cough } from '../exams.ts';
import { reaches } from '../followed-case.ts';
import { thoraxReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';

export const rereading: Scenario = {
  name: 'rereading',
  title: 'Une relecture demandée alors que le premier lecteur n’est plus là',
  startsAt: '2027-03-02T21:00:00+01:00',
  async play(stage) {
    const followed = await delivered(stage, cough(), {
      priority: 'routine',
      reader: 'radiologue',
      protocol: 'TDM thoracique sans injection.',
      report: thoraxReport,
    });
    const billed = await chargesOf(stage, followed);
    await stage.does('Un opérateur', `ferme le compte de ${displayName('radiologue')}`, async () => [
      await stage.operator('user', 'disable', 'radiologue'),
    ]);
    await stage.clock.skipTo('10:30');
    await stage.does(displayName('demandeur'), 'demande une relecture', async () => {
      await followed.operate('demandeur', 'request-rereading', [
        { name: 'reason', valueString: 'Le pneumologue voit une opacité apicale droite sur la radiographie.' },
      ]);
      const [child] = await followed.children('re-reading');
      expect(child, 'pas de Task fille re-reading');
      return [await followed.is('addendum'), `Task re-reading ${child.status}`];
    });
    await stage.clock.skipTo('11:10');
    await stage.does(displayName('radiologue2'), 'prend la relecture et regarde les images', async () => {
      await followed.operate('radiologue2', 'claim-addendum');
      const series = await displaySeries(await stage.cast.person('radiologue2'), followed.exam.studyUid);
      await followed.operate(
        'radiologue2',
        'displayed',
        series.map((uid) => ({ name: 'series', valueString: uid })),
      );
      const { owner } = await followed.read();
      return [`${series.length} série affichée`, `premier lecteur inchangé : ${owner?.display ?? owner?.reference}`];
    });
    await stage.clock.skipTo('11:25');
    await stage.does(displayName('radiologue2'), 'confirme le compte rendu, motif à l’appui', async () => {
      await followed.operate('radiologue2', 'close-addendum', [
        { name: 'reason', valueString: 'Opacité liée à la superposition de la première côte ; compte rendu confirmé.' },
      ]);
      const [child] = await followed.children('re-reading');
      expect(child?.status === 'completed', `la Task fille est ${child?.status}`);
      const [upheld] = await followed.toldTimes('report-upheld', 1);
      return [
        await followed.is('delivered'),
        `Task re-reading ${child.status}`,
        reaches(upheld, 'Organization/ch-exemple'),
      ];
    });
    await stage.does(displayName('coordonnateur'), 'vérifie que rien n’est facturé deux fois', async () => {
      const now = await chargesOf(stage, followed);
      expect(billed === 1 && now === 1, `${billed} ChargeItem après le compte rendu, ${now} après la relecture`);
      return ['un seul acte facturé (ChargeItem)'];
    });
    await closed(stage, followed, {
      reader: 'radiologue2',
      trail: [
        'radiologue $protocol',
        'radiologue $claim',
        'radiologue $displayed',
        'radiologue $sign',
        'demandeur $request-rereading',
        'radiologue2 $claim-addendum',
        'radiologue2 $displayed',
        'radiologue2 $close-addendum',
      ],
      told: { 'report-upheld': 1 },
    });
  },
};
