/** Whole-body CT of a polytrauma: reported within the hour, read again by another within twelve (WF-8). */
import { expect } from '../../steps.ts';
import { displaySeries } from '../../viewer.ts';
import { examDone, phoned, protocolGiven, requestArrives, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { polytrauma as polytraumaExam } from '../exams.ts';
import { clockRun, milestones, minutesBetween, quote } from '../followed-case.ts';
import { polytraumaReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';
import { clockTime } from '../timeline.ts';

export const polytrauma: Scenario = {
  name: 'polytrauma',
  title: 'Un polytraumatisé : compte rendu dans l’heure, deuxième lecture par un autre dans les douze heures',
  startsAt: '2027-01-30T23:20:00+01:00',
  async play(stage) {
    const followed = await requestArrives(stage, polytraumaExam(), 'urgent');
    await stage.clock.skipTo('23:23');
    await protocolGiven(stage, followed, 'radiologue', 'TDM corps entier, sans puis avec injection.');
    await stage.clock.skipTo('23:50');
    await examDone(stage, followed);
    await stage.clock.skipTo('23:52');
    await taken(stage, followed, 'radiologue');
    await stage.clock.skipTo('00:05');
    await phoned(stage, followed, 'radiologue', 'Pneumothorax gauche, pas de saignement actif.');
    await stage.clock.skipTo('00:28');
    await signed(stage, followed, 'radiologue', polytraumaReport);
    await stage.does('La plateforme', 'ouvre la deuxième lecture que cet examen impose', async () => {
      const minutes = minutesBetween(await followed.read(), 'images-received', 'signed');
      expect(minutes <= 60, `${minutes} minutes des images à la signature`);
      const [second] = await followed.children('second-read');
      expect(second, 'pas de Task fille second-read');
      const task = await followed.read();
      const { due } = clockRun(task, 'second-reading');
      const signedAt = milestones(task).get('signed')?.getTime() ?? 0;
      const hours = (due.getTime() - signedAt) / 3_600_000;
      expect(Math.abs(hours - 12) < 0.001, `la deuxième lecture est due à ${due.toISOString()}`);
      return [
        `deuxième lecture à rendre avant ${clockTime(due)}`,
        `compte rendu signé en ${minutes} min`,
        `Task second-read ${second.status}`,
      ];
    });
    await stage.does(displayName('radiologue'), 'ne peut pas relire son propre compte rendu', async () => [
      await followed.refused('radiologue', 'claim-second-reading', [], 403, 'other-reader'),
    ]);
    await stage.clock.skipTo('06:30');
    await stage.does('La plateforme', 'rappelle la deuxième lecture à la moitié des douze heures', async () => {
      const [, reminder] = await followed.toldTimes('deadline', 2);
      expect(reminder, 'pas de rappel');
      return [quote(reminder)];
    });
    await stage.clock.skipTo('08:40');
    await stage.does(displayName('radiologue2'), 'prend la deuxième lecture et regarde les images', async () => {
      await followed.operate('radiologue2', 'claim-second-reading');
      const series = await displaySeries(await stage.cast.person('radiologue2'), followed.exam.studyUid);
      await followed.operate(
        'radiologue2',
        'displayed',
        series.map((uid) => ({ name: 'series', valueString: uid })),
      );
      return [`${series.length} série affichée`];
    });
    await stage.clock.skipTo('08:55');
    await stage.does(displayName('radiologue2'), 'est d’accord', async () => {
      await followed.operate('radiologue2', 'complete-second-reading', [
        { name: 'agrees', valueBoolean: true },
        { name: 'opinion', valueString: 'Mêmes lésions, rien à ajouter.' },
      ]);
      const task = await followed.read();
      const hours = minutesBetween(task, 'signed', 'second-read') / 60;
      expect(hours <= 12, `deuxième lecture après ${hours} h`);
      const [second] = await followed.children('second-read');
      expect(second?.status === 'completed', `la Task fille est ${second?.status}`);
      expect(second.owner?.reference === 'Practitioner/radiologue2', `lue par ${second.owner?.reference}`);
      const { stopped, late } = clockRun(task, 'second-reading');
      expect(stopped && !late, 'l’horloge de la deuxième lecture ne s’est pas arrêtée à temps');
      return [`deuxième lecture ${hours.toFixed(1).replace('.', ',')} h après la première (12 au plus)`];
    });
    await closed(stage, followed, {
      reader: 'radiologue2',
      trail: [
        'radiologue $protocol',
        'radiologue $claim',
        'radiologue $displayed',
        'radiologue $phone-exchange',
        'radiologue $sign',
        'radiologue2 $claim-second-reading',
        'radiologue2 $displayed',
        'radiologue2 $complete-second-reading',
      ],
      told: { deadline: 2, 'phone-exchange': 1, 'second-opinion': 1 },
    });
  },
};
