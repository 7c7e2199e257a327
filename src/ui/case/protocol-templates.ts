/** Protocol texts offered first: those of the exam's modality, the ones that name its region before the others. */
import { plain } from '../words/plain.ts';
import type { Exam } from './exam.ts';

export interface ProtocolTemplate {
  name: string;
  /** DICOM code. */
  modality: string;
  /** Words of the region, lower case without accents. */
  regions: string[];
  text: string;
}

export function templatesFor(templates: readonly ProtocolTemplate[], exam: Exam): ProtocolTemplate[] {
  const region = plain([exam.region, exam.act].join(' '));
  const near = (one: ProtocolTemplate): boolean => one.regions.some((word) => region.includes(word));
  const sameModality = templates.filter((one) => exam.modality === undefined || one.modality === exam.modality);
  return [...sameModality.filter(near), ...sameModality.filter((one) => !near(one))];
}
