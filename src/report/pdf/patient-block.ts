/** Patient block: strict traits, local numbers, and for a qualified identity the INS with its datamatrix (EXI DIF 02). */
import { datamatrixModules, insDatamatrixText } from '../datamatrix.ts';
import type { PatientIdentity } from '../identity.ts';
import { frenchFhirDate } from '../paris-time.ts';
import { type Canvas, columnWidth, element, ensureRoom, setLine, sheet } from './canvas.ts';
import { panel } from './head.ts';
import { look } from './look.ts';
import { drawRows, type Row, rowsHeight } from './table.ts';

/** 0.6 mm in points. 0.4 mm is the least that scans; at 0.5 mm dmtxread took words of the page for a symbol at 300 dpi. */
const moduleSize = (0.6 * 72) / 25.4;
const quietModules = 2;
const padding = 9;

const insKinds: Record<string, string> = {
  '1.2.250.1.213.1.4.8': 'NIR',
  '1.2.250.1.213.1.4.9': 'NIA',
  '1.2.250.1.213.1.4.10': 'NIR de test',
  '1.2.250.1.213.1.4.11': 'NIR de démonstration',
};

export function drawPatient(canvas: Canvas, patient: PatientIdentity): void {
  const text = insDatamatrixText(patient);
  const modules = text ? datamatrixModules(text) : undefined;
  const symbol = modules ? (modules.length + 2 * quietModules) * moduleSize : 0;
  const box = {
    x: sheet.left + padding,
    labelWidth: 118,
    width: columnWidth - 2 * padding - (modules ? symbol + 14 : 0),
  };
  const rows = patientRows(patient);
  const captionHeight = modules ? look.caption.leading : 0;
  const height = Math.max(rowsHeight(canvas, rows, box), symbol + captionHeight) + 2 * padding;
  ensureRoom(canvas, height);
  panel(canvas, canvas.y, height);
  const section = element(canvas, canvas.root, 'Sect', { title: 'Patient' });
  drawRows(canvas, section, rows, { ...box, top: canvas.y + padding }, 'Identité du patient');
  if (modules) {
    const x = sheet.left + columnWidth - padding - symbol;
    const y = canvas.y + padding;
    const figure = element(canvas, section, 'Figure', {
      alt: "Code datamatrix de l'identité nationale de santé, à scanner",
      bbox: [x, y, x + symbol, y + symbol],
    });
    figure.add(() => drawModules(canvas, modules, x, y, symbol));
    figure.end();
    const caption = element(canvas, section, 'Caption');
    caption.add(() => {
      const width = canvas.faces.width('INS à scanner', look.caption.weight, look.caption.size);
      setLine(canvas, 'INS à scanner', look.caption, x + (symbol - width) / 2, y + symbol + 1);
    });
    caption.end();
  }
  section.end();
  canvas.y += height + 11;
}

/** One line that names the patient without doubt, for the foot of every page. */
export function patientLine(patient: PatientIdentity): string {
  const used =
    patient.usedFamily && patient.usedFamily !== patient.birthFamily ? ` (utilisé : ${patient.usedFamily})` : '';
  const born = patient.birthDate ? `, ${bornWord(patient)} le ${frenchFhirDate(patient.birthDate)}` : '';
  const number = patient.localNumbers[0] ? `, IPP ${patient.localNumbers[0].value}` : '';
  return `${patient.birthFamily ?? ''} ${patient.firstGiven ?? ''}${used}${born}${number}`.trim();
}

function bornWord(patient: PatientIdentity): string {
  return patient.sex === 'F' ? 'née' : patient.sex === 'M' ? 'né' : 'né(e)';
}

function patientRows(patient: PatientIdentity): Row[] {
  const unknown = 'non connu';
  const rows: Row[] = [
    { label: 'Nom de naissance', value: patient.birthFamily ?? unknown, style: look.name },
    {
      label: 'Prénom(s) de naissance',
      value: patient.givenList ?? unknown,
      style: { ...look.strong, size: 10.5, leading: 14.5 },
    },
  ];
  const usedFamily = patient.usedFamily !== patient.birthFamily ? patient.usedFamily : undefined;
  const usedGiven = patient.usedGiven !== patient.firstGiven ? patient.usedGiven : undefined;
  if (usedFamily) rows.push({ label: 'Nom utilisé', value: usedFamily, style: look.strong });
  if (usedGiven) rows.push({ label: 'Prénom utilisé', value: usedGiven, style: look.strong });
  const place = [patient.birthPlaceName, patient.birthPlaceCode ? `code INSEE ${patient.birthPlaceCode}` : undefined]
    .filter(Boolean)
    .join(', ');
  const born = patient.birthDate ? frenchFhirDate(patient.birthDate) : 'date non connue';
  rows.push(
    { label: 'Naissance', value: place ? `${born}, ${place}` : born },
    { label: 'Sexe', value: patient.sex === 'F' ? 'Féminin' : patient.sex === 'M' ? 'Masculin' : 'Indéterminé' },
  );
  if (patient.localNumbers.length > 0) {
    rows.push({ label: 'IPP', value: patient.localNumbers.map((number) => number.value).join(', ') });
  }
  if (patient.ins) {
    const kind = insKinds[patient.ins.oid] ?? 'INS';
    rows.push(
      { label: 'Matricule INS', value: groupMatricule(patient.ins.matricule), style: look.strong },
      { label: 'Nature du matricule', value: `${kind} (OID ${patient.ins.oid})` },
    );
  } else {
    rows.push({ label: 'Identité nationale', value: 'Identité non qualifiée : INS non communiquée' });
  }
  return rows;
}

/** `2 85 04 33 063 217 76`: as printed on the health-insurance card. */
function groupMatricule(matricule: string): string {
  return matricule.replace(/^(.)(..)(..)(..)(...)(...)(..)$/, '$1 $2 $3 $4 $5 $6 $7');
}

function drawModules(canvas: Canvas, modules: boolean[][], x: number, y: number, symbol: number): void {
  const { doc } = canvas;
  doc.rect(x, y, symbol, symbol).fill('#ffffff');
  const origin = quietModules * moduleSize;
  modules.forEach((row, rowIndex) => {
    // Neighbouring dark modules become one rectangle: no hairline between them when the page is rasterised.
    let column = 0;
    while (column < row.length) {
      if (!row[column]) {
        column += 1;
        continue;
      }
      let length = 1;
      while (row[column + length]) length += 1;
      doc.rect(x + origin + column * moduleSize, y + origin + rowIndex * moduleSize, length * moduleSize, moduleSize);
      column += length;
    }
  });
  doc.fill('#000000');
}
