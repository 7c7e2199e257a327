/** An AuditEvent as a DICOM audit message (PS3.15 A.5.1), the content ATNA repositories expect. Pure. */
import type { AuditEvent, AuditEventAgent, AuditEventEntity, Coding } from '@medplum/fhirtypes';

/** `http://dicom.nema.org/resources/ontology/DCM` is called DCM in these messages. */
const systemNames: Readonly<Record<string, string>> = {
  'http://dicom.nema.org/resources/ontology/DCM': 'DCM',
  'http://terminology.hl7.org/CodeSystem/audit-event-type': 'audit-event-type',
  'http://hl7.org/fhir/restful-interaction': 'restful-interaction',
  'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle': 'ISO21089',
};

export function dicomAuditMessage(event: AuditEvent): string {
  const { type, subtype = [], agent, source, entity = [] } = event;
  const identification = element(
    'EventIdentification',
    {
      EventActionCode: event.action ?? 'E',
      EventDateTime: event.recorded,
      EventOutcomeIndicator: event.outcome ?? '0',
    },
    code('EventID', type),
    ...subtype.map((one) => code('EventTypeCode', one)),
    event.outcomeDesc ? text('EventOutcomeDescription', event.outcomeDesc) : '',
    ...(event.purposeOfEvent ?? []).flatMap(({ coding = [] }) => coding.map((one) => code('PurposeOfUse', one))),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>${element(
    'AuditMessage',
    {},
    identification,
    ...agent.map(participant),
    element('AuditSourceIdentification', {
      ...(source.site ? { AuditEnterpriseSiteID: source.site } : {}),
      AuditSourceID: source.observer.reference ?? source.observer.display ?? 'unknown',
      code: source.type?.[0]?.code ?? '4',
    }),
    ...entity.map(participantObject),
  )}`;
}

function participant({ who, altId, name, requestor, role = [], type, network }: AuditEventAgent): string {
  return element(
    'ActiveParticipant',
    {
      UserID: who?.reference ?? altId ?? who?.display ?? 'unknown',
      ...(altId ? { AlternativeUserID: altId } : {}),
      ...(who?.display || name ? { UserName: who?.display ?? name ?? '' } : {}),
      UserIsRequestor: String(requestor),
      ...(network?.address
        ? { NetworkAccessPointID: network.address, NetworkAccessPointTypeCode: network.type ?? '2' }
        : {}),
    },
    ...(type?.coding ?? []).map((one) => code('RoleIDCode', one)),
    ...role.flatMap(({ coding = [] }) => coding.map((one) => code('RoleIDCode', one))),
  );
}

/** The type's number is DICOM's own: 1 person, 2 system object; everything that is neither is a system object there. */
function participantObject({ what, type, role, name, query, detail = [] }: AuditEventEntity): string {
  const id = what?.reference ?? what?.identifier?.value ?? name ?? (query === undefined ? 'unknown' : 'query');
  return element(
    'ParticipantObjectIdentification',
    {
      ParticipantObjectID: id,
      ParticipantObjectTypeCode: type?.code === '1' ? '1' : '2',
      ...(role?.code ? { ParticipantObjectTypeCodeRole: role.code } : {}),
    },
    type && !/^[1-4]$/.test(type.code ?? '')
      ? code('ParticipantObjectIDTypeCode', type)
      : code('ParticipantObjectIDTypeCode', { system: 'RFC-3881', code: '12', display: 'URI' }),
    query === undefined ? text('ParticipantObjectName', name ?? id) : text('ParticipantObjectQuery', query),
    ...detail.map(({ type: kind, valueString }) =>
      element('ParticipantObjectDetail', { type: kind, value: Buffer.from(valueString ?? '').toString('base64') }),
    ),
  );
}

function code(name: string, { code: value, system, display }: Coding): string {
  return element(name, {
    'csd-code': value ?? '',
    codeSystemName: systemNames[system ?? ''] ?? system ?? '',
    originalText: display ?? value ?? '',
  });
}

function element(name: string, attributes: Readonly<Record<string, string>>, ...children: readonly string[]): string {
  const said = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const inner = children.join('');
  return inner === '' ? `<${name}${said.join('')}/>` : `<${name}${said.join('')}>${inner}</${name}>`;
}

function text(name: string, value: string): string {
  return `<${name}>${escaped(value)}</${name}>`;
}

/** XML 1.0 has no way to write most control characters; they become the replacement character. */
function escaped(value: string): string {
  return value.toWellFormed().replace(/[&<>"\p{Cc}\ufffe\uffff]/gu, (character) => {
    const isWritable = /[\P{Cc}\t\n\r\x7f-\x9f]/u.test(character) && character < '\ufffe';
    return isWritable ? `&#${character.charCodeAt(0)};` : '\ufffd';
  });
}
