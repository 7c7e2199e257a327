import { beforeAll, expect, test } from 'vitest';
import { checkCdaHeader, createReportRoom } from '../../src/report/index.ts';
import { sampleInput } from './sample.ts';
import { sampleSigner } from './signer.ts';

let cda: string;

beforeAll(async () => {
  const room = createReportRoom();
  cda = (await room.build(sampleInput(), await sampleSigner())).cda.toString();
});

/** Each fault alone, made in a good document: what to change, what the check must say. */
const faults: [string, (xml: string) => string, RegExp][] = [
  ['a time without zone', (xml) => xml.replaceAll('+0200', ''), /zone/],
  [
    'a wrong INS key',
    (xml) =>
      xml
        .replace('285043306321776" ', '')
        .replace('1.2.250.1.213.1.4.10" extension="285043306321776', '1.2.250.1.213.1.4.8" extension="285043306321775'),
    /control key/,
  ],
  [
    'a study UID in the extension',
    (xml) => xml.replace(/<id root="(2\.25\.1803\d+)"\/>/, '<id root="1.2.3" extension="$1"/>'),
    /study UID/,
  ],
  [
    'a document that replaces itself',
    (xml) => withParent(xml, /<id root="(2\.25\.3298\d+918)"\/>/.exec(xml)![1]!),
    /replaces itself/,
  ],
  ['version 1 that replaces', (xml) => withParent(xml, '2.25.5'), /disagrees/],
  [
    'version 2 that replaces nothing',
    (xml) => xml.replace('versionNumber value="1"', 'versionNumber value="2"'),
    /disagrees/,
  ],
  ['a body that is no PDF', (xml) => xml.replace(/(representation="B64">)[^<]+/, '$1AAAA'), /not a PDF/],
  ['half an INS', (xml) => xml.replace(/<birthplace>[\s\S]*?<\/birthplace>/, ''), /birth place/],
  ['an author without profession', (xml) => xml.replace(/<code code="G15[^>]*>/, ''), /profession/],
  ['elements out of order', (xml) => xml.replace(/(<title>.*<\/title>)\s*(<effectiveTime [^>]*>)/, '$2$1'), /order/],
  ['no custodian', (xml) => xml.replace(/<custodian>[\s\S]*<\/custodian>/, ''), /exactly one/],
  ['an accession number outside DICOM', (xml) => xml.replaceAll('ps3-20:accessionNumber', 'accessionNumber'), /DICOM/],
  ['the modality RM', (xml) => xml.replace('code="CT"', 'code="RM"'), /MR/],
  ['the retired CCAM identifier', (xml) => xml.replace('1.2.250.1.215.300.1', '1.2.250.1.213.2.5'), /retired/],
  ['level-3 templates', (xml) => xml.replace('1.3.6.1.4.1.19376.1.2.20', '1.2.840.10008.9.1'), /templateId|three/],
  [
    'set equal to id',
    (xml) => xml.replace(/setId root="[^"]*"/, `setId root="${/<id root="(2\.25\.\d+)"/.exec(xml)![1]}"`),
    /equal/,
  ],
  ['a telephone without scheme', (xml) => xml.replace('tel:0556000000', '0556000000'), /scheme/],
  ['a document type', (xml) => xml.replace('?>', '?><!DOCTYPE x [<!ENTITY a "b">]>'), /refused/],
  ['broken XML', (xml) => xml.slice(0, -40), /well-formed/],
];

test.each(faults)('%s is found', (_name, change, expected) => {
  const changed = change(cda);
  expect(changed).not.toBe(cda);
  const found = checkCdaHeader(changed);
  expect(found.map((problem) => `${problem.path}: ${problem.text}`).join('\n')).toMatch(expected);
});

test('the unchanged document has no fault', () => {
  expect(checkCdaHeader(cda)).toEqual([]);
});

function withParent(xml: string, parent: string): string {
  return xml.replace(
    '<componentOf>',
    `<relatedDocument typeCode="RPLC"><parentDocument><id root="${parent}"/></parentDocument></relatedDocument><componentOf>`,
  );
}
