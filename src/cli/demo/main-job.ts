/** The steps of the main job: what each party does, and what proves that it happened. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint, Task } from '@medplum/fhirtypes';
import { sendMessage } from '../../adapters/hl7v2/index.ts';
import { demoCases } from '../demonstration/cases.ts';
import { complementMessage, requestMessage } from '../demonstration/messages.ts';
import { segment, startSimulatedRis } from '../demonstration/ris.ts';
import { newUid, send } from '../demonstration/scanner.ts';
import { wholeCase } from './case-record.ts';
import type { ChildServer } from './child-server.ts';
import { pdfInside, sha256, storedDocuments } from './documents.ts';
import { examImages } from './exam-images.ts';
import { judgePdf } from './judges.ts';
import { type Caller, caseState, signIn, withToken } from './people.ts';
import { expect, type Step, until } from './steps.ts';
import { displaySeries } from './viewer.ts';

const waitMs = 30_000;
const milestoneUrl = 'https://fhir.passerelle.example/StructureDefinition/case-milestones';
/** The eight timestamps of the contract (WF-2), in the order in which they happen. */
const contractTimestamps = [
  'requested',
  'transmitted',
  'received',
  'protocol-requested',
  'protocoled',
  'images-received',
  'report-sent',
  'report-received',
];

const chapters = {
  indication: 'Céphalée brutale inhabituelle depuis 2 heures. Recherche d’hémorragie sous-arachnoïdienne.',
  technique:
    'Acquisition hélicoïdale de l’encéphale sans injection de produit de contraste, coupes de 1,25 mm. PDL 890 mGy.cm, IDSV 48 mGy.',
  results:
    'Hyperdensité spontanée intraparenchymateuse frontale, sans effet de masse notable.\nSystème ventriculaire de taille normale, ligne médiane en place.\nPas de lésion osseuse.',
  conclusion: 'Hématome intraparenchymateux frontal. Appel au service des urgences effectué.',
};
const ccam = {
  system: 'urn:oid:1.2.250.1.215.300.1',
  code: 'ACQK001',
  display: 'Scanographie du crâne et de son contenu, sans injection',
};

export interface MainJob {
  steps: Step[];
  close(): Promise<void>;
}

/** Prepares the hospital's side and answers the steps; nothing has happened on the server yet. */
export async function mainJob(options: { server: ChildServer; password: string; output: string }): Promise<MainJob> {
  const { server, password, output } = options;
  const ris = await startSimulatedRis(0);
  const [exam] = demoCases();
  if (!exam) throw new Error('la démonstration n’a pas de dossier');
  const studyUid = newUid();
  const examDate = new Date();
  const save = (name: string, content: string | Uint8Array) => writeFile(join(output, name), content);
  const tell = async (text: string) =>
    segment((await sendMessage({ host: '127.0.0.1', port: server.mllpPort }, Buffer.from(text))).toString(), 'MSA');

  let risToken = '';
  let radiologist: Caller | undefined;
  let task: Task | undefined;
  let pdf = Buffer.alloc(0);
  const reader = () => {
    expect(radiologist, 'personne n’est connecté');
    return radiologist;
  };
  const theCase = () => {
    expect(task, 'pas encore de dossier');
    return task;
  };
  const reload = async () => {
    task = await reader().read<Task>('Task', theCase().id ?? '');
    return task;
  };

  const steps: Step[] = [
    {
      title: 'Le RIS de l’hôpital est déclaré (Endpoint) et ses comptes techniques ont un jeton',
      async run() {
        const operator = withToken(server.httpUrl, await server.token('conformance'));
        const endpoint = await operator.read<Endpoint>('Endpoint', 'ris-ch-exemple');
        await operator.update({ ...endpoint, address: `mllp://127.0.0.1:${ris.port}` });
        risToken = await server.token('ris-demo');
        return [`Endpoint/ris-ch-exemple → mllp://127.0.0.1:${ris.port}`];
      },
    },
    {
      title: 'Le RIS envoie la demande (ORM^O01) en MLLP',
      async run() {
        const message = requestMessage(exam, 'DEMO0000001', new Date());
        await save('request-orm.hl7', message);
        const msa = await tell(message);
        expect(msa[1] === 'AA', `MSA|${msa.slice(1).join('|')}`);
        const again = await tell(message);
        expect(again[1] === 'AA', 'le même message répété n’a pas reçu AA');
        return [`MSA|${msa[1]}|${msa[2]}, et la même réponse à la même demande répétée`];
      },
    },
    {
      title: 'Le radiologue se connecte et voit la demande dans sa liste',
      async run() {
        radiologist = await signIn(server.httpUrl, 'radiologue', password);
        const found = await until('le dossier dans la liste de travail', waitMs, async () => {
          const tasks = await reader().search<Task>('Task', { code: 'teleradiology-case', _sort: '-_lastUpdated' });
          return tasks.length > 0 ? tasks : undefined;
        });
        expect(found.length === 1, `${found.length} dossiers au lieu d’un`);
        task = found[0];
        return [`Task/${theCase().id} ${caseState(theCase())}, priorité ${theCase().priority}`];
      },
    },
    {
      title: 'Il établit le protocole ; le RIS reçoit la réponse (ORU^R01 OK)',
      async run() {
        await reader().operation(theCase(), 'protocol', [
          {
            name: 'text',
            valueString: 'TDM cérébral sans injection, coupes 1 mm.\nSi négatif : angioscanner du polygone de Willis.',
          },
        ]);
        const answer = await ris.next((message) => message.event === 'ORU^R01');
        await save('answer-oru.hl7', answer.bytes);
        const order = segment(answer.text, 'ORC');
        expect(order[1] === 'OK' && order[2]?.startsWith(exam.placerNumber), `ORC|${order.slice(1, 3).join('|')}`);
        return [`ORC|${order[1]}|${order[2]}, OBX ${segment(answer.text, 'OBX')[3]}`];
      },
    },
    {
      title: 'Le PACS envoie les images (STOW-RS) ; elles trouvent leur dossier',
      async run() {
        const images = await examImages(exam, studyUid, examDate);
        await send(server.httpUrl, risToken, images.instances);
        const found = await until('les images au dossier', waitMs, async () => {
          const current = await reload();
          return caseState(current) === 'acquiring' || caseState(current) === 'ready' ? current : undefined;
        });
        const basis = found.extension?.find((extension) => extension.url.endsWith('/attachment-basis'))?.valueCode;
        return [`${images.instances.length} instances (${images.origin}), rattachées par ${basis}`];
      },
    },
    {
      title: 'Le RIS annonce l’examen réalisé (OMI^O23) ; le dossier est prêt à lire, le délai court',
      async run() {
        const msa = await tell(complementMessage(exam, studyUid, examDate, 'DEMO0000002', new Date()));
        expect(msa[1] === 'AA', `MSA|${msa.slice(1).join('|')}`);
        const ready = await until('le dossier prêt à lire', waitMs, async () =>
          caseState(await reload()) === 'ready' ? theCase() : undefined,
        );
        const deadline = ready.restriction?.period?.end;
        expect(deadline, 'un dossier prêt doit avoir son échéance');
        return [`MSA|${msa[1]}|${msa[2]}`, `à rendre avant ${deadline}`];
      },
    },
    {
      title: 'Il prend le dossier et affiche toutes les séries (WADO-RS)',
      async run() {
        await reader().operation(theCase(), 'claim');
        const series = await displaySeries(reader(), studyUid);
        await reader().operation(
          theCase(),
          'displayed',
          series.map((uid) => ({ name: 'series', valueString: uid })),
        );
        expect(caseState(await reload()) === 'reading', `état ${caseState(theCase())}`);
        return [`${series.length} série affichée, dossier en lecture`];
      },
    },
    {
      title: 'Il appelle les urgences, rédige, signe',
      async run() {
        await reader().operation(theCase(), 'phone-exchange', [
          { name: 'summary', valueString: 'Hématome annoncé à l’urgentiste, avis neurochirurgical demandé.' },
          { name: 'with', valueString: 'Dr ALIX TEST-RADIOLOGUE' },
        ]);
        const text = Object.entries(chapters).map(([name, valueString]) => ({ name, valueString }));
        await reader().operation(theCase(), 'save-draft', [...text, { name: 'ccam', valueCoding: ccam }]);
        await reader().operation(theCase(), 'sign', [...text, { name: 'ccam', valueCoding: ccam }]);
        return [`état ${caseState(await reload())}`];
      },
    },
    {
      title: 'Le RIS reçoit le compte rendu (MDM^T02) et l’acquitte ; le dossier devient « reçu par le site »',
      async run() {
        const report = await ris.next((message) => message.event === 'MDM^T02');
        await save('report-mdm.hl7', report.bytes);
        const obx = segment(report.text, 'OBX')[5]?.split('^') ?? [];
        const cda = Buffer.from(obx[4] ?? '', 'base64');
        await save('report.cda.xml', cda);
        const inside = pdfInside(cda);
        const stored = await storedDocuments(reader(), theCase());
        pdf = Buffer.from(stored.pdf);
        await save('report.pdf', pdf);
        expect(sha256(inside) === sha256(pdf), 'le PDF du CDA n’est pas le PDF gardé');
        expect(sha256(cda) === sha256(stored.cda), 'le CDA envoyé n’est pas le CDA gardé');
        await until('l’accusé au dossier', waitMs, async () =>
          caseState(await reload()) === 'delivered' ? true : undefined,
        );
        return [
          `même PDF partout : sha256 ${sha256(pdf).slice(0, 16)}…, ${pdf.length} octets`,
          `état ${caseState(theCase())}`,
        ];
      },
    },
    {
      title: 'Les huit horodatages du contrat sont sur le dossier',
      async run() {
        const milestones = new Map(
          theCase()
            .extension?.find((extension) => extension.url === milestoneUrl)
            ?.extension?.map((item) => [item.url, item.valueDateTime]),
        );
        const missing = contractTimestamps.filter((name) => !milestones.get(name));
        expect(missing.length === 0, `il manque ${missing.join(', ')}`);
        return contractTimestamps.map((name) => `${name.padEnd(20)} ${milestones.get(name)}`);
      },
    },
    {
      title: 'Des juges indépendants lisent le PDF',
      run: () => judgePdf(join(output, 'report.pdf'), exam.ins ?? ''),
    },
    {
      title: 'Le dossier complet et sa trace d’audit sont exportés',
      async run() {
        const bundle = await wholeCase(reader(), theCase());
        await save('case.json', JSON.stringify(bundle, null, 2));
        const auditor = await signIn(server.httpUrl, 'auditeur', password);
        const events = await auditor.search('AuditEvent', { _count: '500', _sort: 'date' });
        await save('audit.ndjson', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
        expect(events.length > 10, `${events.length} événements d’audit seulement`);
        return [`${bundle.entry?.length} ressources dans case.json`, `${events.length} événements dans audit.ndjson`];
      },
    },
  ];
  return { steps, close: () => ris.close() };
}
