/** A téléexpertise on the same machine (WF-13): no exam, no scanner; a question, what a colleague must see, and a signed opinion. */
import type { Bundle, DocumentReference, Patient, ServiceRequest, Task } from '@medplum/fhirtypes';
import { segment } from '../../../demonstration/ris.ts';
import { isReport, sha256 } from '../../documents.ts';
import { expect } from '../../steps.ts';
import { type ReportText, reportArrives, reportParameters, ris } from '../beats.ts';
import { displayName } from '../cast.ts';
import { closed } from '../closing.ts';
import { type FollowedCase, followCase, inOrder } from '../followed-case.ts';
import { scannedPage } from '../scanned-page.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const base = 'https://fhir.passerelle.example';
const photographs = 'Photographies du mollet et constantes';
const placerNumber = 'TEX-2026-2001';
const question =
  'Plaque érythémateuse du mollet gauche, fébrile depuis la veille. Dermohypodermite ? Conduite à tenir ?';

const opinion: ReportText = {
  indication: question,
  technique: 'Deux photographies, constantes de 18 h, biologie du jour.',
  results:
    'Plaque inflammatoire bien limitée, sans bulle ni nécrose. Pas de crépitation à la palpation par l’infirmière.',
  conclusion: 'Dermohypodermite bactérienne non compliquée : amoxicilline, marquage des bords, avis demain.',
};

export const teleexpertise: Scenario = {
  name: 'teleexpertise',
  title: 'Une téléexpertise de bout en bout, par configuration de la même machine',
  startsAt: '2027-02-16T17:40:00+01:00',
  async play(stage) {
    const followed = await asked(stage);
    await stage.clock.skip(3);
    await attached(stage, followed);
    await stage.clock.skip(7);
    await stage.does(displayName('radiologue'), 'ne peut pas la prendre : elle revient à un expert', async () => [
      await followed.refused('radiologue', 'claim', [], 403),
    ]);
    await stage.does(displayName('expert'), 'la prend, sans attendre d’images, et ouvre la pièce jointe', async () => {
      await followed.operate('expert', 'claim');
      const expert = await stage.cast.person('expert');
      const documents = await expert.search<DocumentReference>('DocumentReference', {
        subject: await patientOf(followed),
      });
      const kinds = documents.map(({ type }) => type?.coding?.[0]?.code);
      expect(kinds.join() === 'other', `documents en vue : ${kinds.join(', ')}`);
      return [
        await followed.is('reading'),
        `${documents[0]?.description}, ${documents[0]?.content[0]?.attachment.contentType}`,
      ];
    });
    await stage.clock.skip(5);
    await stage.does(displayName('expert'), 'demande une précision', async () => {
      await followed.operate('expert', 'ask', [{ name: 'question', valueString: 'Allergie à la pénicilline ?' }]);
      return [await followed.is('suspended')];
    });
    await stage.clock.skip(20);
    await stage.does(displayName('demandeur'), 'répond', async () => {
      await followed.operate('demandeur', 'answer', [{ name: 'answer', valueString: 'Aucune allergie connue.' }]);
      return [await followed.is('reading')];
    });
    await stage.clock.skip(10);
    await stage.does(displayName('expert'), `signe son avis : ${opinion.conclusion}`, async () => {
      await followed.operate('expert', 'sign', reportParameters(opinion));
      return ['signé'];
    });
    await reportArrives(stage, followed, { reader: 'expert', name: 'opinion' });
    await stage.does(displayName('demandeur'), 'lit un compte rendu de télémédecine', async () => {
      const requester = await stage.cast.person('demandeur');
      const task = await followed.read();
      const documents = (
        await requester.search<DocumentReference>('DocumentReference', { related: `Task/${task.id}` })
      ).filter(isReport);
      const types = new Set(documents.map(({ type }) => type?.coding?.[0]?.code));
      expect(types.size === 1 && types.has('85208-7'), `documents de type ${[...types].join(', ')}`);
      return [
        `LOINC 85208-7, ${documents.length} documents`,
        inOrder(task, ['requested', 'received', 'signed', 'report-received']),
      ];
    });
    await closed(stage, followed, {
      reader: 'expert',
      trail: ['expert $claim', 'expert $ask', 'demandeur $answer', 'expert $sign'],
      told: { question: 1, answer: 1 },
    });
  },
};

/** The requester asks over FHIR: patient, request and case in one transaction. */
async function asked(stage: Stage): Promise<FollowedCase> {
  let followed: FollowedCase | undefined;
  await stage.does(displayName('demandeur'), `demande un avis (FHIR, une transaction) : ${question}`, async () => {
    const requester = await stage.cast.person('demandeur');
    const answer = await requester.http('/fhir', {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(request(stage.clock.now())),
    });
    expect(answer.ok, `réponse ${answer.status} ${await answer.clone().text()}`);
    followed = await followCase(stage, placerNumber);
    return [`transaction ${answer.status}`, await followed.is('ready')];
  });
  if (!followed) throw new Error('pas de dossier');
  return followed;
}

/** A page beside the request; it goes to the archive of the hospital as well (IN-7). */
async function attached(stage: Stage, followed: FollowedCase): Promise<void> {
  const pdf = await scannedPage(photographs, [
    'Mollet gauche, face externe : plaque de 9 cm sur 6.',
    'Température 38,6 °C à 18 h.',
  ]);
  await stage.does(displayName('demandeur'), `joint un PDF : ${photographs}`, async () => {
    const requester = await stage.cast.person('demandeur');
    const { id, for: subject } = await followed.read();
    const document: DocumentReference = {
      resourceType: 'DocumentReference',
      status: 'current',
      type: { coding: [{ system: `${base}/CodeSystem/attachment-kind`, code: 'other' }] },
      description: photographs,
      subject: { reference: subject?.reference ?? '' },
      context: { related: [{ reference: `Task/${id}` }] },
      content: [{ attachment: { contentType: 'application/pdf', data: pdf.toString('base64') } }],
    };
    const answer = await requester.http('/fhir/DocumentReference', {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(document),
    });
    expect(answer.status === 201, `réponse ${answer.status} ${await answer.clone().text()}`);
    return [`${pdf.length} octets`];
  });
  await stage.does(ris, 'reçoit la pièce jointe pour son archive (MDM^T02)', async () => {
    const message = await stage.hospital.receives('MDM^T02');
    const received = Buffer.from(segment(message.text, 'OBX')[5]?.split('^')[4] ?? '', 'base64');
    expect(sha256(received) === sha256(pdf), 'le fichier reçu n’est pas celui joint');
    return [`même fichier, sha256 ${sha256(pdf).slice(0, 16)}…`];
  });
}

async function patientOf(followed: FollowedCase): Promise<string> {
  return (await followed.read()).for?.reference ?? '';
}

function request(now: Date): Bundle {
  const patient: Patient = {
    resourceType: 'Patient',
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] },
        system: `${base}/sid/ipp/330099995`,
        value: '0000452377',
      },
    ],
    name: [{ use: 'official', family: 'TEST-ROUSSEAU', given: ['ODETTE'] }],
    gender: 'female',
    birthDate: '1951-09-03',
  };
  const order: ServiceRequest = {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    priority: 'routine',
    category: [{ coding: [{ system: `${base}/CodeSystem/case-kind`, code: 'teleexpertise' }] }],
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] },
        system: 'urn:oid:2.999.33.10',
        value: placerNumber,
      },
    ],
    subject: { reference: 'urn:uuid:6f2c5a10-0f5e-4a57-9a3e-1c0b5b8e7a01' },
    requester: { reference: 'Practitioner/demandeur' },
    authoredOn: now.toISOString(),
    code: { text: 'Avis d’infectiologie' },
    reasonCode: [{ text: question }],
    note: [{ text: 'Température 38,6 °C, TA 13/7, CRP 84 mg/l. Diabète équilibré.' }],
  };
  const task: Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: `${base}/CodeSystem/task-code`, code: 'teleradiology-case' }] },
    focus: { reference: 'urn:uuid:6f2c5a10-0f5e-4a57-9a3e-1c0b5b8e7a02' },
    requester: { reference: 'Organization/ch-exemple' },
  };
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:6f2c5a10-0f5e-4a57-9a3e-1c0b5b8e7a01',
        resource: patient,
        request: { method: 'POST', url: 'Patient' },
      },
      {
        fullUrl: 'urn:uuid:6f2c5a10-0f5e-4a57-9a3e-1c0b5b8e7a02',
        resource: order,
        request: { method: 'POST', url: 'ServiceRequest' },
      },
      {
        fullUrl: 'urn:uuid:6f2c5a10-0f5e-4a57-9a3e-1c0b5b8e7a03',
        resource: task,
        request: { method: 'POST', url: 'Task' },
      },
    ],
  };
}
