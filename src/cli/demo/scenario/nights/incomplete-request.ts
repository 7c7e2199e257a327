/** A request that lacks something: named at once, asked, asked again, answered; then the night goes on (IN-6, WF-10). */
import type { Communication, Organization } from '@medplum/fhirtypes';
import { expect } from '../../steps.ts';
import { examDone, protocolGiven, requestArrives, signed, taken } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { unsaidPregnancy } from '../exams.ts';
import { quote, reaches } from '../followed-case.ts';
import { thoraxReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';

const settings = 'https://fhir.passerelle.example/StructureDefinition/establishment-settings';
/** Codes of CodeSystem `request-item`. */
const required = ['reason', 'act', 'patient-identifier', 'requester', 'clinical-information', 'pregnancy'];

export const incompleteRequest: Scenario = {
  name: 'incomplete-request',
  title: 'Une demande incomplète : ce qui manque est nommé, demandé, obtenu, et le dossier repart',
  startsAt: '2027-01-20T18:05:00+01:00',
  async play(stage) {
    await stage.does(displayName('admin'), 'règle ce que l’établissement doit joindre à chaque demande', async () => {
      const admin = await stage.cast.person('admin');
      const hospital = await admin.read<Organization>('Organization', 'ch-exemple');
      await admin.update(requiring(hospital, required));
      return [required.join(', ')];
    });
    const followed = await requestArrives(stage, unsaidPregnancy(), 'routine');
    await stage.does('La plateforme', 'nomme ce qui manque et le demande à l’établissement', async () => {
      const asked = await followed.toldTimes('question', 1);
      expect(/grossesse/i.test(textOf(asked[0])), `asked: ${textOf(asked[0])}`);
      return [await followed.is('information-wanted'), ...asked.map(quote)];
    });
    await stage.clock.skipTo('18:50');
    await stage.does(displayName('demandeur'), 'répond', async () => {
      await followed.operate('demandeur', 'answer', [
        { name: 'answer', valueString: 'Pas de grossesse : test urinaire négatif ce jour.' },
      ]);
      return [await followed.is('protocol-wanted')];
    });
    await stage.clock.skipTo('19:00');
    await stage.does(displayName('radiologue'), 'demande encore une précision', async () => {
      await followed.operate('radiologue', 'ask', [
        { name: 'question', valueString: 'Un scanner antérieur existe-t-il ? À quelle date ?' },
      ]);
      return [await followed.is('information-wanted')];
    });
    await stage.clock.skipTo('20:02');
    await stage.does('La plateforme', 'relance l’établissement au bout d’une heure sans réponse', async () => {
      const [reminder] = await followed.toldTimes('waiting', 1);
      return [reaches(reminder, 'Organization/ch-exemple')];
    });
    await stage.clock.skipTo('20:32');
    await stage.does('La plateforme', 'prévient les coordinateurs une demi-heure plus tard', async () => {
      const [escalation] = await followed.toldTimes('escalation', 1);
      return [reaches(escalation, 'Organization/passerelle-exemple')];
    });
    await stage.clock.skipTo('20:36');
    await stage.does(displayName('manipulateur'), 'répond', async () => {
      await followed.operate('manipulateur', 'answer', [
        { name: 'answer', valueString: 'Aucun scanner antérieur dans le PACS.' },
      ]);
      return [await followed.is('protocol-wanted')];
    });
    await protocolGiven(stage, followed, 'radiologue', 'TDM thoracique sans injection.');
    await stage.clock.skipTo('21:05');
    await examDone(stage, followed);
    await stage.clock.skipTo('21:12');
    await taken(stage, followed, 'radiologue');
    await stage.clock.skipTo('21:25');
    await signed(stage, followed, 'radiologue', thoraxReport);
    await closed(stage, followed, {
      reader: 'radiologue',
      trail: [
        'demandeur $answer',
        'radiologue $ask',
        'manipulateur $answer',
        'radiologue $protocol',
        'radiologue $claim',
        'radiologue $displayed',
        'radiologue $sign',
      ],
      told: { question: 2, answer: 2, waiting: 1, escalation: 1 },
    });
  },
};

/** The establishment with this setting. */
function requiring(hospital: Organization, items: readonly string[]): Organization {
  const required = { url: 'requiredItems', valueString: items.join(' ') };
  const extension = (hospital.extension ?? []).map((each) =>
    each.url === settings ? { ...each, extension: [...(each.extension ?? []), required] } : each,
  );
  return { ...hospital, extension };
}

const textOf = (message: Communication | undefined): string =>
  message?.payload?.map(({ contentString }) => contentString).join(' ') ?? '';
