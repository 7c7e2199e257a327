/** The exam is done: a cancellation is no more than a wish, which whoever reads grants or declines (RRR-WF use case 5). */
import { expect } from '../../steps.ts';
import { examDone, protocolGiven, reportParameters, requestArrives, ris, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { headache, stroke } from '../exams.ts';
import { type FollowedExam, reaches } from '../followed-case.ts';
import { strokeReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const transferred = 'Patient transféré au CHU, examen relu là-bas.';

export const cancelledLate: Scenario = {
  name: 'cancelled-late',
  title: 'L’annulation demandée après l’examen : refusée, elle devient une demande que le lecteur tranche',
  startsAt: '2027-02-05T22:00:00+01:00',
  async play(stage) {
    const kept = await readingCase(stage, stroke());
    await stage.clock.skip(2);
    await cancellationAsked(stage, kept);
    await stage.does(displayName('radiologue'), 'ne peut pas signer sans avoir répondu', async () => {
      await kept.operate('radiologue', 'phone-exchange', [
        { name: 'summary', valueString: 'Occlusion M1 droite annoncée.' },
        { name: 'with', valueString: displayName('demandeur') },
      ]);
      return [await kept.refused('radiologue', 'sign', reportParameters(strokeReport), 422, 'cancellation-answered')];
    });
    await stage.does(
      displayName('radiologue'),
      'décline : la lecture est faite, le résultat est critique',
      async () => {
        await kept.operate('radiologue', 'decline-cancellation', [
          { name: 'reason', valueString: 'Occlusion proximale : le compte rendu part au CHU.' },
        ]);
        const [declined] = await kept.toldTimes('cancellation-declined', 1);
        return [await kept.is('reading'), reaches(declined, 'Organization/ch-exemple')];
      },
    );
    await signed(stage, kept, 'radiologue', strokeReport);
    await closed(stage, kept, {
      reader: 'radiologue',
      trail: [
        'radiologue $protocol',
        'radiologue $claim',
        'radiologue $displayed',
        'radiologue $phone-exchange',
        'radiologue $decline-cancellation',
        'radiologue $sign',
      ],
      told: { 'phone-exchange': 1, 'cancellation-request': 1, 'cancellation-declined': 1 },
    });

    const stopped = await readingCase(stage, headache());
    await stage.clock.skip(2);
    await cancellationAsked(stage, stopped);
    await stage.does(displayName('radiologue'), 'accepte : la lecture est interrompue, le site prévenu', async () => {
      await stopped.operate('radiologue', 'interrupt', [{ name: 'reason', valueString: transferred }]);
      const { statusReason, status } = await stopped.read();
      expect(status === 'failed' && statusReason?.text === transferred, `${status}, ${statusReason?.text}`);
      const [ended] = await stopped.toldTimes('case-ended', 1);
      return [await stopped.is('interrupted'), reaches(ended, 'Organization/ch-exemple')];
    });
    await stage.does(ris, 'n’a reçu aucun compte rendu de ce dossier', async () => {
      expect(
        stage.hospital.received('MDM^T02') === 1,
        `${stage.hospital.received('MDM^T02')} comptes rendus à l’hôpital`,
      );
      return ['un seul compte rendu cette nuit, celui de l’autre dossier'];
    });
    await closed(stage, stopped, {
      reader: 'radiologue',
      trail: ['radiologue $protocol', 'radiologue $claim', 'radiologue $displayed', 'radiologue $interrupt'],
      told: { 'cancellation-request': 1, 'case-ended': 1 },
    });
  },
};

async function readingCase(stage: Stage, exam: Parameters<typeof requestArrives>[1]): Promise<FollowedExam> {
  const followed = await requestArrives(stage, exam, 'urgent');
  await stage.clock.skip(3);
  await protocolGiven(stage, followed, 'radiologue', 'TDM cérébral sans injection.');
  await stage.clock.skip(15);
  await examDone(stage, followed);
  await stage.clock.skip(2);
  await taken(stage, followed, 'radiologue');
  return followed;
}

/** Flow 2 after flow 4: refused, and left as a wish on the case. */
async function cancellationAsked(stage: Stage, followed: FollowedExam): Promise<void> {
  await stage.does(ris, `envoie l’annulation (ORM^O01 CA) : ${transferred}`, async () => {
    const answer = await stage.hospital.cancel(followed.exam.exam, transferred);
    expect(/^MSA\|AE\|/.test(answer), `answered ${answer}`);
    const [asked] = await followed.toldTimes('cancellation-request', 1);
    return [
      `${answer.split('|').slice(0, 2).join('|')} : l’annulation est refusée`,
      reaches(asked, 'Practitioner/radiologue'),
      await followed.is('reading'),
    ];
  });
}
