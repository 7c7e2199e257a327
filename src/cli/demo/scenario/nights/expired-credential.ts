/** The insurance of a radiologist ends at midnight, in the middle of a reading: no claim, no signature, no shift (CM-4). */
import type { Practitioner, Resource } from '@medplum/fhirtypes';
import { expect } from '../../steps.ts';
import { examDone, phoned, protocolGiven, reportParameters, requestArrives, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { stroke } from '../exams.ts';
import { strokeReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const qualification = 'https://fhir.passerelle.example/CodeSystem/qualification';
const lastDay = '2027-04-30';

export const expiredCredential: Scenario = {
  name: 'expired-credential',
  title: 'Une assurance qui expire à minuit, au milieu d’une lecture',
  startsAt: '2027-04-30T23:10:00+02:00',
  async play(stage) {
    await stage.does(displayName('admin'), `enregistre l’assurance de ${displayName('radiologue3')}`, async () => {
      await insuredUntil(stage, lastDay);
      return [`valable jusqu’au ${lastDay} compris`];
    });
    const followed = await requestArrives(stage, stroke(), 'urgent');
    await stage.clock.skipTo('23:14');
    await protocolGiven(stage, followed, 'radiologue3', 'TDM cérébral sans injection.');
    await stage.clock.skipTo('23:35');
    await examDone(stage, followed);
    await stage.clock.skipTo('23:50');
    await taken(stage, followed, 'radiologue3');
    await stage.clock.skipTo('23:55');
    await phoned(stage, followed, 'radiologue3', 'Occlusion M1 droite, pas d’hémorragie.');
    await stage.clock.skipTo('00:02');
    await stage.does(
      displayName('radiologue3'),
      'veut signer, deux minutes après la fin de son assurance',
      async () => [
        await followed.refused('radiologue3', 'sign', reportParameters(strokeReport), 403, 'credentials-valid'),
        await followed.is('reading'),
      ],
    );
    await stage.does(displayName('coordonnateur'), 'reprend le dossier', async () => {
      await followed.operate('coordonnateur', 'release', [{ name: 'reason', valueString: 'Assurance échue.' }]);
      return [await followed.is('ready')];
    });
    await stage.does(displayName('radiologue3'), 'ne peut pas le reprendre', async () => [
      await followed.refused('radiologue3', 'claim', [], 403, 'credentials-valid'),
    ]);
    await stage.clock.skipTo('00:05');
    await taken(stage, followed, 'radiologue');
    await stage.clock.skipTo('00:20');
    await signed(stage, followed, 'radiologue', strokeReport);
    await stage.does(displayName('coordonnateur'), `veut planifier ${displayName('radiologue3')} en mai`, async () => [
      await planRefused(stage),
    ]);
    await stage.does(displayName('admin'), 'enregistre la nouvelle attestation', async () => {
      await insuredUntil(stage, '2028-04-30');
      const slot = await plan(stage);
      expect(slot.status === 200, `$plan-duty a répondu ${slot.status} ${slot.text}`);
      return ['la garde du 3 mai est planifiée'];
    });
    await closed(stage, followed, {
      reader: 'radiologue',
      trail: [
        'radiologue3 $protocol',
        'radiologue3 $claim',
        'radiologue3 $displayed',
        'radiologue3 $phone-exchange',
        'coordonnateur $release',
        'radiologue $claim',
        'radiologue $displayed',
        'radiologue $sign',
      ],
      told: { deadline: 1, 'phone-exchange': 1 },
    });
  },
};

async function insuredUntil(stage: Stage, end: string): Promise<void> {
  const admin = await stage.cast.person('admin');
  const known = await admin.read<Practitioner>('Practitioner', 'radiologue3');
  const others = (known.qualification ?? []).filter(
    ({ code }) => !code.coding?.some((coding) => coding.system === qualification && coding.code === 'insurance'),
  );
  const insurance = { code: { coding: [{ system: qualification, code: 'insurance' }] }, period: { end } };
  await admin.update({ ...known, qualification: [...others, insurance] });
}

/** A night of May. */
async function plan(stage: Stage): Promise<{ status: number; text: string }> {
  const coordinator = await stage.cast.person('coordonnateur');
  const parameters: Resource = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'practitioner', valueReference: { reference: 'Practitioner/radiologue3' } },
      { name: 'kind', valueString: 'radiologist' },
      { name: 'start', valueString: '2027-05-03T18:00:00Z' },
      { name: 'end', valueString: '2027-05-04T06:00:00Z' },
    ],
  };
  const answer = await coordinator.http('/fhir/Organization/ch-exemple/$plan-duty', {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(parameters),
  });
  const body = (await answer.json()) as { issue?: { details?: { text?: string } }[] };
  return { status: answer.status, text: body.issue?.[0]?.details?.text ?? '' };
}

async function planRefused(stage: Stage): Promise<string> {
  const { status, text } = await plan(stage);
  expect(status === 422 && /assurance/i.test(text), `$plan-duty a répondu ${status} ${text}`);
  return `${status} : ${text}`;
}
