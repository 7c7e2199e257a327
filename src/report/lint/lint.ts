/** What a draft is checked for before signature (RP-8): each rule is a function of the model, in the order a reader would notice. */
import type { ReportIssue } from '../contract.ts';
import type { ReportModel } from '../model.ts';
import type { Typefaces } from '../typefaces.ts';
import { anatomyIssues } from './anatomy.ts';
import { chapterIssues } from './chapters.ts';
import { documentIssues } from './document.ts';
import { identityIssues } from './identity.ts';
import { lateralityIssues } from './laterality.ts';
import { techniqueIssues } from './technique.ts';

/** Errors block signing; warnings are shown and the radiologist decides. */
export function lintReport(model: ReportModel, faces: Typefaces): ReportIssue[] {
  return [
    ...chapterIssues(model, faces),
    ...lateralityIssues(model),
    ...anatomyIssues(model),
    ...techniqueIssues(model),
    ...identityIssues(model),
    ...documentIssues(model),
  ];
}
