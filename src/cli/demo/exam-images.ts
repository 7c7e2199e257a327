/** The images of the demonstrated exam: the synthetic series, and a real CT series under the same identity where one is at hand. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import dcmjs from 'dcmjs';
import type { DemoCase } from '../demonstration/cases.ts';
import { acquire } from '../demonstration/scanner.ts';

const realSeries = fileURLToPath(
  new URL('../../../../shared/fixtures/dicom/series/ct-philips-phantom', import.meta.url),
);

export interface ExamImages {
  instances: Buffer[];
  /** Where they come from, for the demonstration's log. */
  origin: string;
}

export async function examImages(exam: DemoCase, studyUid: string, examDate: Date): Promise<ExamImages> {
  const synthetic = acquire(exam, studyUid, examDate).instances;
  if (!existsSync(realSeries)) return { instances: synthetic, origin: 'série synthétique' };
  const names = (await readdir(realSeries)).filter((name) => name.endsWith('.dcm')).sort();
  const real = await Promise.all(
    names.map(async (name) => identify(await readFile(join(realSeries, name)), exam, studyUid)),
  );
  return { instances: [...synthetic, ...real], origin: `série synthétique et ${real.length} coupes d’un scanner réel` };
}

/** Gives a foreign instance this exam's identity, as a test PACS would. */
function identify(part10: Buffer, exam: DemoCase, studyUid: string): Buffer {
  const file = dcmjs.data.DicomMessage.readFile(new Uint8Array(part10).buffer);
  const set = (tag: string, vr: string, value: unknown) => {
    file.dict[tag] = { vr, Value: [value] };
  };
  set('0020000D', 'UI', studyUid);
  set('00100020', 'LO', exam.ipp);
  set('00100010', 'PN', { Alphabetic: `${exam.birthName}^${exam.givenNames.split(' ')[0]}` });
  set('00100030', 'DA', exam.birthDate);
  set('00100040', 'CS', exam.sex);
  set('00080050', 'SH', exam.accessionNumber);
  return Buffer.from(file.write());
}
