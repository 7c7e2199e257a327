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

export const thoraxReport: ReportText = {
  indication: 'Toux persistante depuis six semaines, radiographie non contributive.',
  technique: 'Acquisition hélicoïdale du thorax sans injection. PDL 280 mGy.cm, IDSV 7 mGy.',
  results: 'Pas de foyer parenchymateux. Pas de bronchectasie. Pas d’adénomégalie médiastinale.',
  conclusion: 'Scanner thoracique sans anomalie décelable.',
  ccam: {
    system: ccamSystem,
    code: 'ZBQK001',
    display: 'Scanner du thorax, sans injection',
  },
};

/** The same exam read again: what the first reader did not see. */
export const thoraxAmended: ReportText = {
  ...thoraxReport,
  results:
    'Nodule solide du lobe supérieur droit de 9 mm, aux contours spiculés.\nPas de foyer parenchymateux. Pas d’adénomégalie médiastinale.',
  conclusion: 'Nodule suspect de 9 mm du lobe supérieur droit, à explorer : avis pneumologique.',
};

/** Whole body, after a road accident. */
export const polytraumaReport: ReportText = {
  indication: 'Accident de la voie publique à haute cinétique, Glasgow 14, douleur thoracique gauche.',
  technique:
    'Acquisition hélicoïdale du crâne au pelvis, sans puis avec injection de produit de contraste iodé. PDL 2100 mGy.cm, IDSV 19 mGy.',
  results:
    'Pas d’hémorragie intracrânienne. Pneumothorax gauche de faible abondance, fractures des 5e et 6e arcs costaux gauches.\nPas d’épanchement péritonéal, pas de lésion d’organe plein.',
  conclusion: 'Pneumothorax gauche de faible abondance et deux fractures costales gauches. Pas de saignement actif.',
  ccam: {
    system: ccamSystem,
    code: 'ZZQH033',
    display: 'Scanner de trois territoires ou plus, avec injection',
  },
};
