/** What most nights have in common, each with its evidence: request, protocol, exam, reading, signature, report at the hospital. */
import type { DemoCase } from '../../demonstration/cases.ts';
import { segment } from '../../demonstration/ris.ts';
import { pdfInside, sha256, storedDocuments } from '../documents.ts';
import { expect } from '../steps.ts';
import { displaySeries } from '../viewer.ts';
import { displayName, type Login } from './cast.ts';
import { type FollowedCase, type FollowedExam, followExam } from './followed-case.ts';
import { accepted, examOf } from './hospital.ts';
import type { Stage } from './stage.ts';
import { clockTime } from './timeline.ts';

export const ris = 'Le RIS de CH-EXEMPLE';
const pacs = 'Le PACS de CH-EXEMPLE';
/** More than `quietSeconds` of the demonstration hospital. */
const quietMinutes = 0.2;

/** The four chapters, and the act where one is billed by code. */
export interface ReportText {
  indication: string;
  technique: string;
  results: string;
  conclusion: string;
  ccam?: { system: string; code: string; display: string };
}

/** As parameters of `$save-draft` and `$sign`. */
export function reportParameters({ ccam, ...chapters }: ReportText) {
  return [
    ...Object.entries(chapters).map(([name, valueString]) => ({ name, valueString })),
    ...(ccam ? [{ name: 'ccam', valueCoding: ccam }] : []),
  ];
}

/** The RIS asks for a reading (flow 1). */
export async function requestArrives(
  stage: Stage,
  exam: DemoCase,
  priority: 'urgent' | 'routine',
): Promise<FollowedExam> {
  let followed: FollowedExam | undefined;
  await stage.does(ris, `envoie la demande ${exam.placerNumber} (ORM^O01) : ${exam.justification}`, async () => {
    const answer = accepted(await stage.hospital.request(exam));
    followed = await followExam(stage, examOf(exam));
    const task = await followed.read();
    expect(task.priority === priority, `priorité ${task.priority} au lieu de ${priority}`);
    return [answer, `dossier « ${task.businessStatus?.text} », priorité ${task.priority}`];
  });
  if (!followed) throw new Error('pas de dossier');
  return followed;
}

/** A radiologist accepts; the RIS is told. */
export async function protocolGiven(stage: Stage, followed: FollowedCase, login: Login, text: string): Promise<void> {
  await stage.does(displayName(login), `établit le protocole : ${text}`, async () => {
    await followed.operate(login, 'protocol', [{ name: 'text', valueString: text }]);
    const order = segment((await stage.hospital.receives('ORU^R01')).text, 'ORC');
    const { placerNumber } = followed;
    expect(order[1] === 'OK' && order[2]?.startsWith(placerNumber), `ORC|${order.slice(1, 3).join('|')}`);
    return [await followed.is('protocoled'), `le RIS a reçu ORU^R01, ORC|${order[1]}|${order[2]}`];
  });
}

/** The scanner works; images and flow 4 arrive; the contract's clock runs. */
export async function examDone(stage: Stage, followed: FollowedExam): Promise<void> {
  await stage.does(pacs, 'envoie les images (STOW-RS), le RIS annonce l’examen réalisé (OMI^O23)', async () => {
    const count = await stage.hospital.sendImages(followed.exam);
    const answer = accepted(await stage.hospital.announceExam(followed.exam));
    // So long without a new image, the study counts as whole.
    await stage.clock.skip(quietMinutes);
    const ready = await followed.is('ready');
    const due = (await followed.read()).restriction?.period?.end;
    expect(due, 'un dossier prêt n’a pas d’échéance');
    return [`${count} instances, ${answer}`, `${ready}, à rendre avant ${clockTime(new Date(due))}`];
  });
}

/** A radiologist takes the case and looks at every series. */
export async function taken(stage: Stage, followed: FollowedExam, login: Login): Promise<void> {
  await stage.does(displayName(login), 'prend le dossier et affiche toutes les séries (WADO-RS)', async () => {
    await followed.operate(login, 'claim');
    const series = await displaySeries(await stage.cast.person(login), followed.exam.studyUid);
    const parameters = series.map((uid) => ({ name: 'series', valueString: uid }));
    await followed.operate(login, 'displayed', parameters);
    const { owner } = await followed.read();
    expect(owner?.reference === `Practitioner/${login}`, `le titulaire est ${owner?.reference}`);
    return [`${await followed.is('reading')}, ${series.length} série affichée`];
  });
}

/** The exchange with the requester that an urgent case must have (WF-5). */
export async function phoned(stage: Stage, followed: FollowedCase, login: Login, summary: string): Promise<void> {
  await stage.does(displayName(login), `appelle ${displayName('demandeur')}`, async () => {
    await followed.operate(login, 'phone-exchange', [
      { name: 'summary', valueString: summary },
      { name: 'with', valueString: displayName('demandeur') },
    ]);
    const exchanges = await followed.toldTimes('phone-exchange', 1);
    return exchanges.map((each) => `« ${each.payload?.[0]?.contentString} »`);
  });
}

/** Signature; the hospital gets the very document that is stored, and acknowledges it. */
export async function signed(
  stage: Stage,
  followed: FollowedCase,
  login: Login,
  text: ReportText,
  state: 'delivering' | 'delivered' = 'delivered',
): Promise<void> {
  await stage.does(displayName(login), `signe : ${text.conclusion}`, async () => {
    await followed.operate(login, 'sign', reportParameters(text));
    return [`signé à ${clockTime(stage.clock.now())}`];
  });
  await reportArrives(stage, followed, { reader: login, name: 'report', state });
}

/**
 * The hospital's RIS gets a report and acknowledges it; the PDF in it is the one stored last. Kept as `<name>.pdf`. T10 replaces a former
 * version. The case is then in this state: delivered, unless something keeps it open.
 */
export async function reportArrives(
  stage: Stage,
  followed: FollowedCase,
  options: { reader: Login; name: string; state?: 'delivering' | 'delivered'; event?: 'MDM^T02' | 'MDM^T10' },
): Promise<void> {
  const { reader, name, state = 'delivered', event = 'MDM^T02' } = options;
  const what = event === 'MDM^T10' ? 'le compte rendu qui remplace l’ancien' : 'le compte rendu';
  await stage.does(ris, `reçoit ${what} (${event}) et l’acquitte`, async () => {
    const message = await stage.hospital.receives(event);
    const cda = Buffer.from(segment(message.text, 'OBX')[5]?.split('^')[4] ?? '', 'base64');
    const stored = await storedDocuments(await stage.cast.person(reader), await followed.read());
    expect(sha256(cda) === sha256(stored.cda), 'le CDA reçu n’est pas celui gardé');
    expect(sha256(pdfInside(cda)) === sha256(stored.pdf), 'le PDF du CDA n’est pas celui gardé');
    await stage.save(`${name}.pdf`, stored.pdf);
    await stage.save(`${name}.cda.xml`, cda);
    return [`même document que la plateforme, sha256 ${sha256(stored.pdf).slice(0, 16)}…`, await followed.is(state)];
  });
}

/** A whole night's work without incident: from the request to the report at the hospital. */
export async function delivered(
  stage: Stage,
  exam: DemoCase,
  work: { priority: 'urgent' | 'routine'; reader: Login; protocol: string; report: ReportText },
): Promise<FollowedExam> {
  const { priority, reader, protocol, report } = work;
  const followed = await requestArrives(stage, exam, priority);
  await stage.clock.skip(4);
  await protocolGiven(stage, followed, reader, protocol);
  await stage.clock.skip(20);
  await examDone(stage, followed);
  await stage.clock.skip(5);
  await taken(stage, followed, reader);
  if (priority === 'urgent') await phoned(stage, followed, reader, 'Résultat donné de vive voix.');
  await stage.clock.skip(12);
  await signed(stage, followed, reader, report);
  return followed;
}
