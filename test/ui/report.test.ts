import type { DiagnosticReport } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { caseFacts } from '../../src/ui/case/case-facts.ts';
import { parametersOf } from '../../src/ui/fhir/parameters.ts';
import { describeProblem } from '../../src/ui/fhir/problem.ts';
import acts from '../../src/ui/report/ccam-acts.json' with { type: 'json' };
import { draftOf, draftValues, emptyDraft, isCcam, sameDraft } from '../../src/ui/report/chapters.ts';
import { firstDraft } from '../../src/ui/report/first-draft.ts';
import { remarksOf } from '../../src/ui/report/lint.ts';

const stored: DiagnosticReport = {
  resourceType: 'DiagnosticReport',
  status: 'partial',
  code: {
    coding: [
      { system: 'http://loinc.org', code: '18748-4' },
      { system: 'urn:oid:1.2.250.1.215.300.1', code: 'ACQK001', display: 'Scanner' },
    ],
  },
  conclusion: 'ancienne',
  extension: [
    {
      url: 'https://fhir.passerelle.example/StructureDefinition/report-text',
      extension: [
        { url: 'indication', valueString: 'Céphalée' },
        { url: 'technique', valueString: ' ' },
      ],
    },
  ],
};

describe('a draft', () => {
  it('is read back as it was written, a blank chapter as empty', () => {
    expect(draftOf(stored)).toEqual({
      text: { indication: 'Céphalée', technique: '', results: '', conclusion: '' },
      ccam: { code: 'ACQK001', display: 'Scanner' },
    });
  });

  it('is sent without any empty string, which FHIR does not have', () => {
    const draft = { ...emptyDraft(), ccam: { code: 'ACQK001', display: '' } };
    draft.text.results = 'Hématome.';
    const parameters = parametersOf(draftValues(draft)).parameter ?? [];
    expect(parameters).toEqual([
      { name: 'indication', valueString: ' ' },
      { name: 'technique', valueString: ' ' },
      { name: 'results', valueString: 'Hématome.' },
      { name: 'conclusion', valueString: ' ' },
      { name: 'ccam', valueCoding: { system: 'urn:oid:1.2.250.1.215.300.1', code: 'ACQK001' } },
    ]);
    expect(parametersOf(draftValues(emptyDraft(), 'série de repérage')).parameter?.at(-1)).toEqual({
      name: 'not-displayed-reason',
      valueString: 'série de repérage',
    });
  });

  it('starts from the request and the protocol, so that nothing is typed twice', () => {
    const facts = {
      ...caseFacts({ resourceType: 'Task', status: 'in-progress', intent: 'order' }),
      protocols: ['Scanner sans injection'],
    };
    const draft = firstDraft(
      {
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject: {},
        reasonCode: [{ text: 'Chute' }],
        note: [{ text: 'Hématome ?' }],
        code: { coding: [{ code: 'ACQK001', display: 'Scanner du crâne' }] },
      },
      facts,
      { modality: 'CT', modalityName: 'Scanner', region: 'Crâne', act: undefined, text: '' },
    );
    expect(draft).toEqual({
      text: { indication: 'Chute\nHématome ?', technique: 'Scanner sans injection', results: '', conclusion: '' },
      ccam: { code: 'ACQK001', display: 'Scanner du crâne' },
    });
    expect(sameDraft(draft, emptyDraft())).toBe(false);
  });

  it('offers only well-formed acts, each once', () => {
    expect(acts.filter((act) => !isCcam(act.code))).toEqual([]);
    expect(new Set(acts.map((act) => act.code)).size).toBe(acts.length);
    expect(['acqk001', 'ACQK01', ''].map(isCcam)).toEqual([false, false, false]);
  });
});

describe("the server's remarks", () => {
  it('stand beside the chapter they are about, by expression, by guard or by words', () => {
    const { byField, general } = remarksOf([
      {
        severity: 'error',
        code: 'business-rule',
        diagnostics: 'Le côté diffère.',
        expression: ["Parameters.parameter.where(name='conclusion')"],
      },
      { severity: 'error', code: 'business-rule', diagnostics: 'Le chapitre « Résultats » est vide.' },
      {
        severity: 'error',
        code: 'business-rule',
        diagnostics: 'Dites pourquoi.',
        details: { coding: [{ code: 'every-series-displayed' }] },
      },
      {
        severity: 'warning',
        code: 'business-rule',
        diagnostics: 'Indication, technique, résultats et conclusion sont obligatoires.',
      },
      { severity: 'error', code: 'business-rule' },
    ]);
    expect(byField.conclusion).toEqual([{ blocking: true, text: 'Le côté diffère.' }]);
    expect(byField.results).toEqual([{ blocking: true, text: 'Le chapitre « Résultats » est vide.' }]);
    expect(byField['not-displayed-reason']).toHaveLength(1);
    expect(general).toEqual([
      { blocking: false, text: 'Indication, technique, résultats et conclusion sont obligatoires.' },
    ]);
  });

  it('are told in French even when the server said nothing', () => {
    expect(describeProblem(403, [])).toBe('Votre rôle ne permet pas cette action.');
    expect(describeProblem(0, [])).toContain('ne répond pas');
    expect(
      describeProblem(422, [{ severity: 'error', code: 'business-rule', diagnostics: 'Le motif est obligatoire.' }]),
    ).toBe('Action impossible : Le motif est obligatoire.');
    expect(describeProblem(500, [])).toBe('Le serveur a rencontré une erreur.');
  });
});

describe('a refusal to sign whose summary repeats every fault', () => {
  const summary = {
    severity: 'error' as const,
    code: 'business-rule' as const,
    details: { coding: [{ code: 'report-complete' }] },
    diagnostics: 'Le compte rendu ne peut pas être signé : La conclusion est vide. État : En lecture.',
  };
  const fault = { severity: 'error' as const, code: 'business-rule' as const, diagnostics: 'La conclusion est vide.' };

  it('says each fault once, at its place', () => {
    expect(remarksOf([summary, fault])).toEqual({
      byField: { conclusion: [{ blocking: true, text: 'La conclusion est vide.' }] },
      general: [],
    });
  });

  it('keeps the summary when it is all there is', () => {
    expect(remarksOf([summary]).byField.conclusion).toHaveLength(1);
  });
});
