/** Flow 3 sent: ORU^R01 OK with one OBX per protocol, or OC with the reason. */
import { type CaseData, IncompleteCase, outputs } from './case-data.ts';
import { escapeText } from './escape.ts';
import { writeEi } from './identifier.ts';
import { writeXcn, writeXon } from './people.ts';
import { writePid } from './pid-writer.ts';
import { type Envelope, line, writeMessage } from './segment-writer.ts';
import type { Tables } from './tables.ts';

/** @throws IncompleteCase when the case is neither protocoled nor refused. */
export function writeAnswer(
  data: CaseData,
  envelope: Envelope,
  tables: Tables,
): { bytes: Buffer; messageType: string } {
  const { answer, organizationTypes, answerProfile } = tables.documents;
  const refused = data.task.status === 'rejected';
  const protocols = refused ? [] : outputs(data.task, 'protocol').flatMap((output) => output.valueString ?? []);
  if (!refused && protocols.length === 0)
    throw new IncompleteCase('Le dossier n’a ni protocole ni refus à transmettre.');
  const placer = writeEi(data.placer);
  const radiologist = writeXcn(data.radiologist, tables, { title: true });
  const reason = data.task.statusReason?.text;
  const platform = data.platform ?? { resourceType: 'Organization' as const, name: envelope.sendingFacility };
  const protocol = tables.observations.answer.protocol;
  const segments = [
    writePid(data.patient, data.account, tables, data.task.requester?.reference),
    line('ORC', {
      1: refused ? answer.refused : answer.accepted,
      2: placer,
      12: radiologist,
      16: refused && reason ? `^${escapeText(reason)}` : '',
      17: `${organizationTypes.platform}^^${organizationTypes.system}`,
      21: writeXon(platform, tables),
    }),
    line('OBR', {
      1: '1',
      2: placer,
      4: `${answer.procedure}^${escapeText(answer.procedureDisplay)}^${answer.procedureSystem}`,
      16: radiologist,
    }),
    ...protocols.map((text, index) =>
      line('OBX', {
        1: String(index + 1),
        2: 'FT',
        3: `${protocol.code}^${protocol.display ?? ''}^${protocol.system ?? ''}`,
        // A sub-id is required as soon as several OBX share a code.
        4: protocols.length > 1 ? String(index + 1) : '',
        // A line end is one sign here; the carriage return of some keyboards would be shown as \X0D\.
        5: escapeText(text.replace(/\r\n?/g, '\n')),
        11: 'F',
      }),
    ),
  ];
  const header = {
    type: 'ORU^R01^ORU_R01',
    version: tables.flows.acceptedVersions[0] ?? '2.5.1',
    profile: answerProfile,
  };
  return { bytes: writeMessage(envelope, header, segments), messageType: 'ORU^R01' };
}
