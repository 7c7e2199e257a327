import type { Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { caseActions, withReason } from '../../src/ui/case/action-list.ts';
import { actionValues, offeredActions } from '../../src/ui/case/actions.ts';
import { agreementOf, newConsent } from '../../src/ui/case/consent.ts';
import { amends, displayedBy, readsBlind, sideWorks } from '../../src/ui/case/second-reading.ts';

const item = (code: string) => ({ coding: [{ code }] });
const task: Task = {
  resourceType: 'Task',
  id: 'cas',
  status: 'in-progress',
  intent: 'order',
  owner: { reference: 'Practitioner/premier' },
  output: [{ type: item('displayed-series'), valueString: '1.1' }],
};
const child = (code: string, changes: Partial<Task>): Task => ({
  resourceType: 'Task',
  id: code,
  status: 'requested',
  intent: 'order',
  code: item(code),
  description: 'Deuxième lecture',
  ...changes,
});
const inHand = (person: string): Partial<Task> => ({
  status: 'in-progress',
  owner: { reference: `Practitioner/${person}`, display: 'Dr TEST' },
});

describe('what runs beside a reading', () => {
  it('is told with who, why and what came of it, the oldest first', () => {
    const done = child('second-read', {
      status: 'completed',
      authoredOn: '2026-05-12T08:00:00Z',
      reasonCode: { text: 'Polytraumatisé' },
      output: [
        { type: item('agreement'), valueBoolean: false },
        { type: item('opinion'), valueString: 'Fracture de C2.' },
      ],
    });
    const asked = child('re-reading', { authoredOn: '2026-05-12T09:00:00Z' });
    expect(sideWorks([asked, done, child('deliver', {})])).toMatchObject([
      { kind: 'second-read', status: 'done', reason: 'Polytraumatisé', agrees: false, opinion: 'Fracture de C2.' },
      { kind: 're-reading', status: 'wanted' },
    ]);
  });

  it('hides the first report from whoever reads blind, until the opinion is given, and from nobody else', () => {
    const blind = child('second-read', { ...inHand('second'), input: [{ type: item('blind'), valueBoolean: true }] });
    expect(readsBlind(sideWorks([blind]), 'Practitioner/second')).toBe(true);
    expect(readsBlind(sideWorks([blind]), 'Practitioner/premier')).toBe(false);
    expect(readsBlind(sideWorks([{ ...blind, status: 'completed' }]), 'Practitioner/second')).toBe(false);
  });

  it('says whether somebody writes the next version, and which series they displayed for it', () => {
    const addendum = child('addendum', {
      ...inHand('autre'),
      output: [{ type: item('displayed-series'), valueString: '1.2' }],
    });
    expect(amends(sideWorks([addendum]), 'Practitioner/autre')).toBe(true);
    expect(amends(sideWorks([addendum]), 'Practitioner/premier')).toBe(false);
    expect(displayedBy(task, [addendum], 'Practitioner/autre')).toEqual(['1.2']);
    expect(displayedBy(task, [addendum], 'Practitioner/premier')).toEqual(['1.1']);
    expect(displayedBy(task, [child('addendum', inHand('premier'))], 'Practitioner/premier')).toEqual(['1.1']);
  });
});

describe('an action', () => {
  it('sends what was filled in: booleans for answers and ticks, nothing for what was left empty', () => {
    const opinion = caseActions.find(({ name }) => name === 'complete-second-reading')!;
    const form = new FormData();
    form.set('agrees', 'false');
    form.set('opinion', ' Fracture ');
    form.set('not-displayed-reason', ' ');
    expect(actionValues(opinion, form)).toEqual({ agrees: false, opinion: 'Fracture' });
    const second = caseActions.find(({ name }) => name === 'request-second-reading')!;
    const unticked = new FormData();
    unticked.set('reason', 'Doute');
    expect(actionValues(second, unticked)).toEqual({ reason: 'Doute', blind: false });
  });

  it('that a reason would allow is asked for again with one; any other refusal is only told', () => {
    const claim = caseActions.find(({ name }) => name === 'claim')!;
    expect(withReason(claim, 'assigned-or-reason', 'Attribué à un confrère.')).toMatchObject({
      name: 'claim',
      question: 'Attribué à un confrère.',
      fields: [{ name: 'reason' }],
    });
    expect(withReason(claim, 'consent', 'Consentement absent.')).toBeUndefined();
  });

  it('is not shown where there is nothing to do', () => {
    const blocked = { 'close-addendum': 'Aucun additif.', claim: 'Consentement absent.' };
    expect(offeredActions({ legal: [], blocked }).map(({ name }) => name)).toEqual(['claim']);
  });
});

describe('consent', () => {
  const at = new Date('2026-05-12T08:00:00Z');
  const numbered: Task = {
    ...task,
    identifier: [{ system: 'https://fhir.passerelle.example/sid/case', value: '2026-1' }],
  };

  it('is read as the server reads it: a refusal or a withdrawal wins, another case says nothing', () => {
    const given = newConsent(numbered, 'given', at);
    expect(agreementOf(numbered, [])).toBe('missing');
    expect(agreementOf(numbered, [given])).toBe('given');
    expect(agreementOf(numbered, [newConsent(numbered, 'emergency', at)])).toBe('emergency');
    expect(agreementOf(numbered, [given, newConsent(numbered, 'refused', at)])).toBe('refused');
    expect(agreementOf(numbered, [{ ...given, status: 'inactive' }])).toBe('refused');
    const other = { ...numbered, identifier: [{ ...numbered.identifier![0], value: '2026-2' }] };
    expect(agreementOf(other, [given])).toBe('missing');
  });
});
