/** Identity of the patient and of the people who answer for the report (identity-ins §1-§4, §7). */
import type { ReportIssue } from '../contract.ts';
import { teleserviceForm } from '../datamatrix.ts';
import type { PatientIdentity } from '../identity.ts';
import { isInsKeyValid } from '../ins-key.ts';
import type { ReportModel } from '../model.ts';

export function identityIssues(model: ReportModel): ReportIssue[] {
  const { patient, radiologist, establishment, platform, requester } = model;
  const issues: ReportIssue[] = [];
  const error = (code: string, text: string) => issues.push({ severity: 'error', code, text });
  const warn = (code: string, text: string) => issues.push({ severity: 'warning', code, text });
  if (!patient.birthFamily) error('patient-name-missing', "Le nom de naissance du patient n'est pas connu.");
  if (!patient.ins && patient.localNumbers.length === 0) {
    error(
      'patient-identifier-missing',
      "Le patient n'a ni IPP ni INS qualifiée : le document ne pourrait pas être rattaché.",
    );
  }
  if (!patient.birthDate)
    warn(
      'birth-date-missing',
      "La date de naissance du patient n'est pas connue : le CDA ne sera pas conforme aux règles nationales.",
    );
  if (patient.insWithheld) warn('ins-withheld', `L'INS ne sera pas imprimée : ${patient.insWithheld}.`);
  if (patient.ins) issues.push(...insIssues(patient));
  if (!radiologist.rpps) error('radiologist-rpps-missing', "Le radiologue signataire n'a pas de numéro RPPS.");
  if (!radiologist.family) error('radiologist-name-missing', "Le nom du radiologue signataire n'est pas connu.");
  if (!establishment.nationalId || !establishment.name) {
    error('establishment-incomplete', "L'établissement n'a pas de nom ou d'identifiant national (FINESS).");
  }
  if (!platform.nationalId || !platform.name) {
    error('platform-incomplete', "La structure du radiologue n'a pas de nom ou d'identifiant national (FINESS).");
  }
  if (!requester) warn('requester-missing', "Le médecin demandeur n'est pas connu.");
  else if (!requester.nationalId) {
    warn(
      'requester-identifier-missing',
      "Le médecin demandeur n'a pas d'identifiant national : il ne figurera pas au CDA.",
    );
  }
  return issues;
}

/** Consistency of a qualified INS with the traits it travels with; the number itself says sex, year and month of birth. */
function insIssues(patient: PatientIdentity): ReportIssue[] {
  const { matricule } = patient.ins!;
  const issues: ReportIssue[] = [];
  const warn = (code: string, text: string) => issues.push({ severity: 'warning', code, text });
  if (!isInsKeyValid(matricule)) warn('ins-key', 'La clé du matricule INS (identité de test) est fausse.');
  const sex = { '1': 'M', '2': 'F', '7': 'M', '8': 'F', '3': 'M', '4': 'F' }[matricule[0]!];
  if (sex !== undefined && sex !== patient.sex) {
    warn('ins-sex', 'Le sexe du patient ne correspond pas à son matricule INS.');
  }
  const [year, month] = patient.birthDate!.split('-');
  if (matricule.slice(1, 3) !== year!.slice(2)) {
    warn('ins-birth-year', "L'année de naissance du patient ne correspond pas à son matricule INS.");
  }
  const coded = Number(matricule.slice(3, 5));
  // Months above 12 mean an unknown or special month and say nothing.
  if (coded >= 1 && coded <= 12 && coded !== Number(month)) {
    warn('ins-birth-month', 'Le mois de naissance du patient ne correspond pas à son matricule INS.');
  }
  const given = teleserviceForm(patient.givenList!);
  const first = teleserviceForm(patient.firstGiven!);
  if (given !== first && !given.startsWith(`${first} `)) {
    warn('given-names', 'Le premier prénom ne commence pas la liste des prénoms de naissance.');
  }
  return issues;
}
