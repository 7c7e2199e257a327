/** The four mandatory chapters (RP-1): present, printable, finished. */
import type { ReportIssue, ReportText } from '../contract.ts';
import type { ReportModel } from '../model.ts';
import { printable } from '../pdf/lines.ts';
import type { Typefaces } from '../typefaces.ts';

/** Characters; about forty pages, beyond which something was pasted by mistake. */
const longestChapter = 100_000;

const unfinished = /\?\?\?|\[\s*(?:…|\.\.\.|[àa] compl[ée]ter|xx+)\s*\]|_{3,}|\bxxx+\b|à compléter/i;

export function chapterIssues({ input, form }: ReportModel, faces: Typefaces): ReportIssue[] {
  const issues: ReportIssue[] = [];
  for (const [chapter, name] of Object.entries(form.chapters) as [keyof ReportText, string][]) {
    const text = input.text[chapter] ?? '';
    if (printable(text).trim() === '') {
      issues.push({ severity: 'error', code: `${chapter}-missing`, text: `Le chapitre « ${name} » est vide.` });
      continue;
    }
    if (text.length > longestChapter) {
      const limit = longestChapter.toLocaleString('fr-FR');
      issues.push({
        severity: 'error',
        code: `${chapter}-too-long`,
        text: `Le chapitre « ${name} » dépasse ${limit} caractères.`,
      });
      continue;
    }
    const sign = faces.unprintable(printable(text).replaceAll('\n', ' '));
    if (sign !== undefined || printable(text).includes('\ufffd')) {
      issues.push({
        severity: 'error',
        code: `${chapter}-unprintable`,
        text: `Le chapitre « ${name} » contient un caractère qui ne peut pas être imprimé${sign ? ` : ${sign}` : ''}.`,
      });
    }
    if (unfinished.test(text)) {
      issues.push({
        severity: 'warning',
        code: `${chapter}-unfinished`,
        text: `Le chapitre « ${name} » semble contenir un passage à compléter.`,
      });
    }
  }
  return issues;
}
