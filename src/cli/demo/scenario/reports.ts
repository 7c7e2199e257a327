/** What the radiologists of the scenarios write. */
import type { ReportText } from './beats.ts';

const ccamSystem = 'urn:oid:1.2.250.1.215.300.1';
const headWithout = {
  system: ccamSystem,
  code: 'ACQK001',
  display: 'Scanographie du crâne et de son contenu, sans injection',
};

export const strokeReport: ReportText = {
  indication: 'Déficit hémicorporel gauche depuis 1 h 30, NIHSS 12. Alerte thrombolyse.',
  technique: 'Acquisition hélicoïdale de l’encéphale sans injection. PDL 910 mGy.cm, IDSV 50 mGy.',
  results: 'Hyperdensité spontanée de l’artère cérébrale moyenne droite.\nPas d’hémorragie. ASPECTS 9.',
  conclusion: 'Occlusion proximale de l’artère cérébrale moyenne droite, sans hémorragie. Appel effectué.',
  ccam: headWithout,
};

export const headacheReport: ReportText = {
  indication: 'Céphalée brutale inhabituelle depuis 2 heures. Recherche d’hémorragie sous-arachnoïdienne.',
  technique: 'Acquisition hélicoïdale de l’encéphale sans injection. PDL 890 mGy.cm, IDSV 48 mGy.',
  results: 'Pas d’hémorragie. Système ventriculaire de taille normale, ligne médiane en place.',
  conclusion: 'Scanner cérébral sans anomalie décelable. Une hémorragie ancienne de plus de 6 heures n’est pas exclue.',
  ccam: headWithout,
};
