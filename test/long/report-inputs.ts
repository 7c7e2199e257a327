/** Reports that differ in everything a referee could object to. */
import type { ReportInput } from '../../src/report/contract.ts';
import { sampleInput } from '../report/sample.ts';

export function refereeInputs(): Record<string, ReportInput> {
  const bare = sampleInput({ acts: [], dose: undefined, viewerUrl: undefined, encounterClass: undefined });
  for (const key of [
    'study',
    'requester',
    'accessionNumber',
    'placerOrderNumber',
    'visitNumber',
    'examDate',
  ] as const) {
    delete bare[key];
  }
  bare.patient.extension = [];
  const long = sampleInput({
    document: { oid: '2.25.12', setOid: '2.25.10', version: 2, replaces: '2.25.11' },
    contrast: { text: 'Iohexol 350 mg I/mL, 80 mL' },
  });
  long.text.technique = 'Acquisition avec injection. <&> "guillemets" ≥ → ✓ Łódź';
  long.text.results = Array.from({ length: 200 }, (_, index) => `Phrase ${index} du résultat, ∅ ≤ 3 mm → stable.`).join(
    '\n',
  );
  const corsica = sampleInput();
  Object.assign(corsica.patient.identifier![0]!, { value: '285052A00412306', system: 'urn:oid:1.2.250.1.213.1.4.10' });
  corsica.patient.extension![1]!.valueAddress!.extension![0]!.valueCoding!.code = '2A004';
  corsica.patient.name![0]!.family = 'D’ÉTÉ & <CŒUR>';
  const inpatient = sampleInput({ encounterClass: 'I' });
  inpatient.acts.push({ system: 'urn:oid:1.2.250.1.215.300.1', code: 'ACQH003', display: 'Second acte' });
  return { usual: sampleInput(), bare, long, corsica, inpatient };
}
