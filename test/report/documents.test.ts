import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { embeddedPdf } from '../../src/report/cda/check-context.ts';
import { at, parseXml, textOf } from '../../src/report/cda/dom.ts';
import type { ReportInput, Signer } from '../../src/report/contract.ts';
import { insDatamatrixText } from '../../src/report/datamatrix.ts';
import { patientIdentity } from '../../src/report/identity.ts';
import { checkCdaHeader, createReportRoom, ReportRefused, verifyPdfSignature } from '../../src/report/index.ts';
import { sampleInput } from './sample.ts';
import { sampleSigner } from './signer.ts';
import { hasTool, run, scratchFolder } from './tools.ts';

const room = createReportRoom();
let signer: Signer;

beforeAll(async () => {
  signer = await sampleSigner();
});

const schema = '../shared/fixtures/cda/infrastructure/cda/CDA_extended.xsd';

/** The report that says as little as the contract allows. */
function barest(): ReportInput {
  const input = sampleInput({ acts: [], dose: undefined, viewerUrl: undefined, encounterClass: undefined });
  for (const key of [
    'study',
    'requester',
    'accessionNumber',
    'placerOrderNumber',
    'visitNumber',
    'examDate',
  ] as const) {
    delete input[key];
  }
  input.patient.extension = [];
  return input;
}

function replacement(): ReportInput {
  return sampleInput({
    document: { oid: '2.25.12', setOid: '2.25.10', version: 2, replaces: '2.25.11' },
  });
}

test('the PDF inside the CDA is the signed PDF, byte for byte, and the digests are theirs', async () => {
  const built = await room.build(sampleInput(), signer);
  const body = at(parseXml(built.cda.toString()), 'component', 'nonXMLBody', 'text');
  expect(embeddedPdf(body).equals(built.pdf)).toBe(true);
  expect(built.pdfSha256).toBe(createHash('sha256').update(built.pdf).digest('hex'));
  expect(built.cdaSha256).toBe(createHash('sha256').update(built.cda).digest('hex'));
  expect(verifyPdfSignature(built.pdf).valid).toBe(true);
  expect(built.title).toBe('Compte rendu d’imagerie médicale – Scanner du crâne sans injection');
});

test('the same report laid out twice differs in its signature alone', async () => {
  const [first, second] = [await room.build(sampleInput(), signer), await room.build(sampleInput(), signer)];
  const withoutSignature = (pdf: Buffer) => pdf.toString('latin1').replace(/\/Contents <[0-9a-f]+>/, '');
  expect(withoutSignature(first.pdf)).toBe(withoutSignature(second.pdf));
});

test('the file declares PDF 1.4, PDF/A-1a, French, tags, embedded fonts and no transparency', async () => {
  const text = (await room.build(sampleInput(), signer)).pdf.toString('latin1');
  expect(text.startsWith('%PDF-1.4\n')).toBe(true);
  expect(text).toContain('<pdfaid:part>1</pdfaid:part>');
  expect(text).toContain('<pdfaid:conformance>A</pdfaid:conformance>');
  expect(text).toContain('/Lang (fr-FR)');
  expect(text).toContain('/Marked true');
  expect(text).toContain('/GTS_PDFA1');
  for (const kind of ['/S /H1', '/S /H2', '/S /Table', '/S /TH', '/S /Figure', '/S /Form'])
    expect(text).toContain(kind);
  expect(text).not.toMatch(/\/SMask|\/CA |\/ca |NeedAppearances|\/EmbeddedFile|\/JavaScript/);
  expect(text.match(/\/FontFile2/g)!.length).toBe(text.match(/\/Subtype \/CIDFontType2/g)!.length);
});

test('every header variant passes our own check of the national rules', async () => {
  for (const input of [sampleInput(), barest(), replacement()]) {
    expect(checkCdaHeader((await room.build(input, signer)).cda)).toEqual([]);
  }
});

test('the header names author, second author, signer, custodian, requester, order and act', async () => {
  const root = parseXml((await room.build(replacement(), signer)).cda.toString());
  const xml = (await room.build(replacement(), signer)).cda.toString();
  expect(xml.match(/<author>/g)).toHaveLength(2);
  const signerId = at(root, 'legalAuthenticator', 'assignedEntity', 'id');
  expect(signerId?.getAttribute('extension')).toBe('899700990031');
  const custodian = at(root, 'custodian', 'assignedCustodian', 'representedCustodianOrganization', 'id');
  expect(custodian?.getAttribute('extension')).toBe('1330099995');
  expect(at(root, 'legalAuthenticator', 'time')?.getAttribute('value')).toBe('20260512145841+0200');
  expect(at(root, 'inFulfillmentOf', 'order', 'id')?.getAttribute('root')).toBe('2.999.33.10');
  expect(xml).toContain('<ps3-20:accessionNumber root="2.999.33.20" extension="ACN26-09010"/>');
  const study = at(root, 'documentationOf', 'serviceEvent', 'id');
  expect(study?.getAttribute('root')).toBe('2.25.180306273512948162037465928374610293900');
  expect(study?.hasAttribute('extension')).toBe(false);
  expect(at(root, 'relatedDocument', 'parentDocument', 'id')?.getAttribute('root')).toBe('2.25.11');
  expect(xml).toContain('codeSystem="1.2.250.1.215.300.1"');
});

test('an identity that is not qualified leaves the INS out of both documents and keeps the local number', async () => {
  const input = sampleInput();
  input.patient.extension![0]!.extension![0]!.valueCoding!.code = 'PROV';
  const { cda } = await room.build(input, signer);
  expect(cda.toString()).not.toContain('285043306321776');
  expect(cda.toString()).toContain('extension="0000451234"');
  expect(checkCdaHeader(cda)).toEqual([]);
});

test('winter and summer carry their own offsets', async () => {
  const winter = await room.build(sampleInput({ signedAt: new Date('2026-12-31T23:30:00Z') }), signer);
  expect(winter.cda.toString()).toContain('<effectiveTime value="20270101003000+0100"/>');
});

test('a draft with a blocking fault is refused and nothing is built', async () => {
  const input = sampleInput();
  input.text.conclusion = ' \n ';
  await expect(room.build(input, signer)).rejects.toThrow(ReportRefused);
});

const words = fc.string({
  unit: fc.constantFrom(...'aé œ’\'"<>&]à-ÇßŁ≥→µ²\n\t\r\u0001\u00a0()[]\\/%'),
  minLength: 1,
  maxLength: 300,
});

test('no name or text, however odd or long, breaks the document, the CDA or the signature', async () => {
  await fc.assert(
    fc.asyncProperty(words, words, words, fc.integer({ min: 1, max: 30 }), async (family, display, text, times) => {
      const input = sampleInput();
      input.patient.name![0]!.family = `N${family.repeat(times)}`;
      input.acts[0]!.display = display;
      input.establishment.name = `H ${display}`;
      input.text.results = `R ${text.repeat(times)}`;
      const built = await room.build(input, signer);
      expect(verifyPdfSignature(built.pdf).valid).toBe(true);
      const root = parseXml(built.cda.toString());
      expect(embeddedPdf(at(root, 'component', 'nonXMLBody', 'text')).equals(built.pdf)).toBe(true);
      expect(textOf(at(root, 'title')).length).toBeGreaterThan(0);
    }),
    { numRuns: 20 },
  );
});

describe.skipIf(!hasTool('xmllint') || !existsSync(schema))(
  'judged by the CDA schema (skipped without xmllint or it)',
  () => {
    test('every header variant is valid', async () => {
      const folder = scratchFolder();
      for (const [index, input] of [sampleInput(), barest(), replacement()].entries()) {
        const file = join(folder, `${index}.xml`);
        writeFileSync(file, (await room.build(input, signer)).cda);
        expect(() => run('xmllint', ['--noout', '--huge', '--schema', schema, file])).not.toThrow();
      }
    });
  },
);

describe.skipIf(!hasTool('pdftotext'))('read by poppler (skipped where it is absent)', () => {
  const textOfPdf = (pdf: Buffer) => {
    const file = join(scratchFolder(), 'report.pdf');
    writeFileSync(file, pdf);
    return { file, text: run('pdftotext', ['-layout', file, '-']).replace(/\s+/g, ' ') };
  };

  test('the page says who the patient is, what was done and who signed', async () => {
    const { text } = textOfPdf((await room.build(sampleInput(), signer)).pdf);
    for (const expected of [
      'Compte rendu d’imagerie médicale',
      'CH-EXEMPLE IMAGERIE',
      'TEST-MOREAU',
      'CAMILLE LOUISE',
      'TEST-DUVAL',
      '17/04/1985',
      '0000451234',
      '2 85 04 33 063 217 76',
      'OID 1.2.250.1.213.1.4.10',
      'INS à scanner',
      'ACQK001',
      'ACN26-09010',
      'PDL (DLP) total 812 mGy.cm',
      'Scanner cérébral normal.',
      'Signé électroniquement par Dr NOA TEST-TELERADIO (RPPS 99700990031) le 12/05/2026 à 14:58:41 (Europe/Paris)',
      'Page 1/1',
    ]) {
      expect(text).toContain(expected);
    }
  });

  test('a long report flows over pages, loses no word, and names the patient on each', async () => {
    const input = replacement();
    input.text.results = Array.from({ length: 400 }, (_, index) => `Phrase numéro ${index} du résultat ≥ 3 → 4.`).join(
      ' ',
    );
    const { text } = textOfPdf((await room.build(input, signer)).pdf);
    const pages = Number(/Page 1\/(\d+)/.exec(text)![1]);
    expect(pages).toBeGreaterThan(3);
    expect(
      text.match(/TEST-MOREAU CAMILLE \(utilisé : TEST-DUVAL\), née le 17\/04\/1985, IPP 0000451234/g),
    ).toHaveLength(pages);
    for (let index = 0; index < 400; index += 1) expect(text).toMatch(new RegExp(`\\b${index}\\b`));
    expect(text).toContain('annule et remplace');
  });

  test('every font is embedded and subset', async () => {
    const { file } = textOfPdf((await room.build(sampleInput(), signer)).pdf);
    const rows = run('pdffonts', [file]).trim().split('\n').slice(2);
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(row).toMatch(/yes yes yes/);
  });
});

describe.skipIf(!hasTool('dmtxread') || !hasTool('pdftoppm'))('scanned (skipped without dmtxread or pdftoppm)', () => {
  test.each([200, 300])('the datamatrix of the page rendered at %i dpi is the INS string', async (dpi) => {
    const folder = scratchFolder();
    const file = join(folder, 'report.pdf');
    writeFileSync(file, (await room.build(sampleInput(), signer)).pdf);
    run('pdftoppm', ['-r', String(dpi), '-f', '1', '-l', '1', '-png', file, join(folder, 'page')]);
    const read = run('dmtxread', ['-n', '-N1', '-m', '20000', join(folder, 'page-1.png')]);
    expect(read.trim()).toBe(insDatamatrixText(patientIdentity(sampleInput().patient)));
  });
});
