/** Organs of the other sex named in the text: a report dictated in the wrong record. A warning, for records and bodies may differ. */
import type { ReportIssue } from '../contract.ts';
import type { ReportModel } from '../model.ts';
import { plainWords } from './words.ts';

const female =
  /\b(?:uterus|uterine?s?|ovaires?|ovarien(?:ne)?s?|endometres?|endometriose|myometre|vagin(?:al|ale|aux)?|col de l'uterus|trompes? de fallope|grossesse|enceinte|menopausee?|hysterectomie)\b/;
const male =
  /\b(?:prostates?|prostatiques?|testicules?|testiculaires?|vesicules? seminales?|scrotum|scrotal(?:e|es)?|epididymes?|penis|penien(?:ne)?s?|corps caverneux|prostatectomie)\b/;

export function anatomyIssues({ input, patient }: ReportModel): ReportIssue[] {
  const { indication, technique, results, conclusion } = input.text;
  const words = plainWords(`${indication} ${technique} ${results} ${conclusion}`);
  const conflict = patient.sex === 'M' ? female.exec(words) : patient.sex === 'F' ? male.exec(words) : null;
  if (!conflict) return [];
  const sex = patient.sex === 'M' ? 'masculin' : 'féminin';
  return [
    {
      severity: 'warning',
      code: 'sex-organ-conflict',
      text: `Le patient est de sexe ${sex} ; le compte rendu parle de « ${conflict[0]} ». Vérifiez le dossier.`,
    },
  ];
}
