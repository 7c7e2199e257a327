/** A signed report was wrong: whoever got the former version gets the new one, and acknowledges it. */
import type { DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { expect } from '../../steps.ts';
import { delivered, reportArrives, reportParameters } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { cough } from '../exams.ts';
import { inOrder, reaches } from '../followed-case.ts';
import { thoraxAmended, thoraxReport } from '../reports.ts';
import type { Scenario } from '../scenario.ts';

const why = 'Nodule du lobe supérieur droit non décrit dans la première version.';

export const amended: Scenario = {
  name: 'amended',
  title: 'Un compte rendu rectifié parvient à tous ceux qui avaient reçu l’ancien',
  startsAt: '2027-03-04T19:00:00+01:00',
  async play(stage) {
    const followed = await delivered(stage, cough(), {
      priority: 'routine',
      reader: 'radiologue',
      protocol: 'TDM thoracique sans injection.',
      report: thoraxReport,
    });
    await stage.clock.skip(50);
    await stage.does(displayName('radiologue'), `rouvre le dossier : ${why}`, async () => {
      await followed.operate('radiologue', 'open-addendum', [{ name: 'reason', valueString: why }]);
      await followed.operate('radiologue', 'claim-addendum');
      return [await followed.is('addendum')];
    });
    await stage.clock.skip(10);
    await stage.does(displayName('radiologue'), `signe la nouvelle version : ${thoraxAmended.conclusion}`, async () => {
      await followed.operate('radiologue', 'sign-addendum', [
        ...reportParameters(thoraxAmended),
        { name: 'reason', valueString: why },
      ]);
      return ['signée'];
    });
    await reportArrives(stage, followed, { reader: 'radiologue', name: 'report-2', event: 'MDM^T10' });
    await stage.does(displayName('coordonnateur'), 'voit chaque envoi acquitté, l’ancien et le nouveau', async () => {
      const sent = await followed.children('deliver');
      const reports = sent.filter(({ description }) => description?.startsWith('Compte rendu'));
      expect(reports.length === 2, `${reports.length} envois d’un compte rendu`);
      const late = reports.filter(({ status }) => status !== 'completed');
      expect(late.length === 0, `sans accusé : ${late.map(({ description }) => description).join(', ')}`);
      return reports.map(({ description, owner, output }) => {
        const evidence = output?.find(({ valueString }) => valueString)?.valueString;
        return `${description} → ${owner?.reference}, ${evidence}`;
      });
    });
    await stage.does(
      displayName('demandeur'),
      'lit la nouvelle version, et voit qu’elle remplace l’ancienne',
      async () => {
        const [told] = await followed.toldTimes('report-amended', 1);
        const requester = await stage.cast.person('demandeur');
        const task = await followed.read();
        const documents = await requester.search<DocumentReference>('DocumentReference', {
          related: `Task/${task.id}`,
        });
        const former = documents.filter(({ status }) => status === 'superseded');
        const current = documents.filter(({ status }) => status === 'current');
        expect(former.length === 2 && current.length === 2, `${former.length} superseded, ${current.length} current`);
        const replaced = current.flatMap(({ relatesTo }) => relatesTo ?? []).filter(({ code }) => code === 'replaces');
        expect(replaced.length === 2, `${replaced.length} documents en remplacent un autre`);
        const reports = await requester.search<DiagnosticReport>('DiagnosticReport', {
          'based-on': task.focus?.reference ?? '',
        });
        expect(reports.length === 1, `${reports.length} comptes rendus au lieu d’un`);
        const [report] = reports;
        expect(
          ['amended', 'corrected', 'appended'].includes(report?.status ?? ''),
          `le compte rendu est ${report?.status}`,
        );
        expect(report?.conclusion === thoraxAmended.conclusion, `la conclusion est ${report?.conclusion}`);
        return [
          reaches(told, 'Organization/ch-exemple'),
          `DiagnosticReport ${report?.status}, deux documents remplacés et gardés`,
          inOrder(task, ['signed', 'report-received', 'amended']),
        ];
      },
    );
    await closed(stage, followed, {
      reader: 'radiologue',
      trail: [
        'radiologue $protocol',
        'radiologue $claim',
        'radiologue $displayed',
        'radiologue $sign',
        'radiologue $open-addendum',
        'radiologue $claim-addendum',
        'radiologue $sign-addendum',
      ],
      told: { 'report-amended': 1 },
    });
  },
};
