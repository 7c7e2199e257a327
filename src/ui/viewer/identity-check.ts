/** Whether the images on the screen carry the identity of the case's patient (rule IM-5): the last barrier is the reader's eye, helped. */
import { plain } from '../words/plain.ts';
import { type DicomDataset, textAt } from './dicom-json.ts';

/** The case's patient, as far as images can be compared with it. */
export interface ExpectedPatient {
  /** Family names the person is known by. */
  families: string[];
  /** YYYY-MM-DD; incomplete dates are not compared. */
  birthDate: string | undefined;
}

/** What differs, in French; empty when nothing that is filled in differs. */
export function identityDifferences(expected: ExpectedPatient, dataset: DicomDataset): string[] {
  const differences: string[] = [];
  const family = textAt(dataset, '00100010')?.split('^')[0];
  if (family && expected.families.length > 0 && !expected.families.some((one) => letters(one) === letters(family))) {
    differences.push('nom');
  }
  const birth = /^(\d{4})(\d{2})(\d{2})$/.exec(textAt(dataset, '00100030') ?? '');
  if (birth && expected.birthDate?.length === 10 && expected.birthDate !== birth.slice(1).join('-')) {
    differences.push('date de naissance');
  }
  return differences;
}

/** Modalities write names without accents, hyphens or apostrophes. */
function letters(name: string): string {
  return plain(name).replace(/[^a-z]/g, '');
}
