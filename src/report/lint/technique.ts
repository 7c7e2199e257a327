/** Dose and contrast: what the law and the technique chapter require of an exam with ionising radiation or injection. */
import type { ReportIssue } from '../contract.ts';
import type { ReportModel } from '../model.ts';
import { plainWords } from './words.ts';

/** Modalities whose report must state the dose (decree on dosimetric information in reports). */
const ionising = new Set(['CT', 'XA', 'RF', 'MG', 'DX', 'CR', 'RG', 'PT', 'NM', 'PX', 'IO']);
const doseWords = /\b(?:pdl|dlp|ctdi\w*|idsv|pds|dap|mgy|msv|mbq|dose|dosimetri\w+|irradiation)\b/;
const without = /\bsans (?:injection(?: de)? produit de contraste|injection|produit de contraste|contraste|iv\b)/;
const withInjection =
  /\b(?:apres|avec) (?:injection|produit de contraste|contraste)|\binjection (?:iv|intraveineuse|de produit)/;

export function techniqueIssues(model: ReportModel): ReportIssue[] {
  const { input, modalities } = model;
  const issues: ReportIssue[] = [];
  const technique = plainWords(input.text.technique);
  const { ctdiVolMGy, dlpMGyCm, text } = input.dose ?? {};
  const measured = ctdiVolMGy !== undefined || dlpMGyCm !== undefined || !!text?.trim();
  if (modalities.some((code) => ionising.has(code)) && !measured && !doseWords.test(technique)) {
    issues.push({
      severity: 'warning',
      code: 'dose-missing',
      text: "L'exposition aux rayonnements n'est pas indiquée : précisez la dose, ou qu'elle n'a pas été transmise.",
    });
  }
  for (const value of [ctdiVolMGy, dlpMGyCm]) {
    if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
      issues.push({ severity: 'error', code: 'dose-invalid', text: 'La dose indiquée est négative ou illisible.' });
    }
  }
  // Sans puis avec injection is an ordinary protocol: only the text that denies any injection contradicts a product.
  const affirmed = withInjection.test(technique.replace(new RegExp(without, 'g'), ' ')) || /\bpuis\b/.test(technique);
  const denied = without.test(technique) && !affirmed;
  if (input.contrast?.text.trim() && denied) {
    issues.push({
      severity: 'warning',
      code: 'contrast-contradiction',
      text: 'Un produit de contraste est enregistré ; la technique dit que rien n’a été injecté.',
    });
  }
  if (model.ccam.length === 0 && input.form === undefined) {
    issues.push({ severity: 'warning', code: 'ccam-missing', text: "Aucun acte CCAM n'est validé." });
  }
  for (const { code } of model.ccam) {
    if (/^[A-Z]{4}\d{3}$/.test(code)) continue;
    issues.push({ severity: 'error', code: 'ccam-malformed', text: `Code CCAM mal formé : ${code.slice(0, 20)}.` });
  }
  return issues;
}
