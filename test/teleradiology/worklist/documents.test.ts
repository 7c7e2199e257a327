import { readFileSync } from 'node:fs';
import type { CodeSystem, OperationDefinition } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { termMinutes } from '../../../src/teleradiology/worklist/personal.ts';
import { stages } from '../../../src/teleradiology/worklist/place.ts';
import { questionOf } from '../../../src/teleradiology/worklist/question.ts';
import { loadSubSpecialties, subSpecialtySystem } from '../../../src/teleradiology/worklist/sub-specialty.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const profile = <R>(path: string) => JSON.parse(read(`fhir-profiles/${path}`)) as R;
const codesOf = (id: string) =>
  (profile<CodeSystem>(`code-systems/CodeSystem-${id}.json`).concept ?? []).map(({ code }) => code);
const specialties = loadSubSpecialties();

describe('what is published of the worklist', () => {
  it('tells every term with the minutes that are counted', () => {
    const rows = new Map(
      [...read('docs/worklist.md').matchAll(/^\| `([a-z-]+)` \| (-?\d+)(?: to (\d+))? \|/gm)].map((row) => [
        row[1],
        row,
      ]),
    );
    expect([...rows.keys()].toSorted()).toEqual(codesOf('worklist-term').toSorted());
    for (const [code, minutes] of Object.entries(termMinutes)) expect(Number(rows.get(code)?.[2])).toBe(minutes);
  });

  it('has the stages, sub-specialties and parameters there are', () => {
    expect(codesOf('worklist-stage')).toEqual(stages);
    const tables = JSON.parse(read('mappings/worklist/sub-specialties.json')) as { specialties: { code: string }[] };
    expect(codesOf('sub-specialty')).toEqual(tables.specialties.map(({ code }) => code));
    const { parameter } = profile<OperationDefinition>('operations/OperationDefinition-Task-worklist.json');
    const inputs = (parameter ?? []).filter(({ use }) => use === 'in').map(({ name }) => name);
    for (const name of inputs) {
      const value = { stage: 'to-read', establishment: 'a', mine: 'true', _count: '5', _include: 'Task:patient' }[
        name ?? ''
      ];
      if (value !== undefined) questionOf({ resourceType: 'Parameters', parameter: [{ name, valueString: value }] });
    }
    expect(inputs).toEqual(['stage', 'establishment', 'kind', 'mine', '_count', '_cursor', '_include']);
  });
});

describe('the sub-specialty of a request', () => {
  const ccam = 'urn:oid:1.2.250.1.215.300.1';
  const of = (coding: [string, string][], site?: string) =>
    specialties.of({
      code: { coding: coding.map(([system, code]) => ({ system, code })) },
      ...(site ? { bodySite: [{ coding: [{ system: 'http://snomed.info/sct', code: site }] }] } : {}),
    });

  it('is that of its act, by the longest beginning that fits, else of its body site, else general', () => {
    expect(of([[ccam, 'ACQK001']])).toBe('neuro');
    expect(of([[ccam, 'LAQK013']])).toBe('head-neck');
    expect(of([[ccam, 'LFQK002']])).toBe('musculoskeletal');
    expect(of([[ccam, 'QEQK001']])).toBe('breast');
    expect(of([['http://loinc.org', '24627-2']], '774007')).toBe('chest');
    expect(of([], '76752008')).toBe('breast');
    expect(of([['http://loinc.org', '0-0']], '1')).toBe('general');
    expect(specialties.of(undefined)).toBe('general');
  });

  it('of a reader is what their roles declare, of our code system only', () => {
    const role = (code: string, system = subSpecialtySystem) => ({ specialty: [{ coding: [{ system, code }] }] });
    expect(specialties.declared([role('neuro'), role('neuro'), role('chest')])).toEqual(['neuro', 'chest']);
    expect(specialties.declared([role('general'), role('none'), role('neuro', 'urn:x'), {}])).toEqual([]);
  });
});
