import type { Bundle, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivals } from '../../src/ui/worklist/arrivals.ts';
import { belongs, matchesSearch, worklistCriteria } from '../../src/ui/worklist/filters.ts';
import { sortRows, stableOrder } from '../../src/ui/worklist/order.ts';
import { type WorklistRow, worklistRows } from '../../src/ui/worklist/row.ts';
import { fakeResources } from './fake/resources.ts';

const now = new Date('2026-11-22T02:30:00Z');
const bundle: Bundle = {
  resourceType: 'Bundle',
  type: 'searchset',
  entry: fakeResources(now.getTime()).map((resource: Resource) => ({ resource })),
};
const rows = worklistRows(bundle, now);
const row = (id: string): WorklistRow => rows.find((one) => one.id === id) as WorklistRow;

describe('a line of the worklist', () => {
  it('says who, what, where and in which state, out of the included resources', () => {
    const { patient, sexAndAge, hospital, exam, stateName, owner, facts } = row('cas-5');
    expect({ patient, sexAndAge, hospital, exam: exam.text, stateName, owner }).toEqual({
      patient: 'TEST-ROUX ANDREA',
      sexAndAge: 'F · 55 ans',
      hospital: 'CH-EXEMPLE IMAGERIE',
      exam: 'Scanner · Rachis cervical',
      stateName: 'en lecture',
      owner: 'Dr NOA TEST-TELERADIO',
    });
    expect(facts.imageCount).toBe(288);
  });

  it('treats a case without a priority as urgent', () => {
    const task = { resourceType: 'Task', id: 'x', status: 'received', intent: 'order' } as const;
    const [made] = worklistRows({ resourceType: 'Bundle', type: 'searchset', entry: [{ resource: task }] }, now);
    expect(made?.facts.urgent).toBe(true);
    expect(made?.patient).toBe('Patient masqué');
  });
});

describe('a worklist over several tenants', () => {
  const at = (tenant: string): Bundle['entry'] => [
    {
      fullUrl: `https://p.example/t/${tenant}/fhir/Task/case`,
      resource: {
        ...{ resourceType: 'Task', id: 'case', status: 'received', intent: 'order' },
        for: { reference: 'Patient/1' },
      },
    },
    {
      fullUrl: `https://p.example/t/${tenant}/fhir/Patient/1`,
      resource: { resourceType: 'Patient', id: '1', name: [{ family: `OF-${tenant}` }] },
    },
  ];
  const both: Bundle = { resourceType: 'Bundle', type: 'searchset', entry: [...at('home')!, ...at('other')!] };

  it('shows each case with the patient of its own tenant, whatever ids they share', () => {
    const shown = worklistRows(both, now, 'home').map(({ id, patient, facts }) => [id, patient, facts.id]);
    expect(shown).toEqual([
      ['case', 'OF-HOME', 'case'],
      ['other/case', 'OF-OTHER', 'case'],
    ]);
  });
});

describe('the order of the worklist', () => {
  it('puts urgent cases first, by time left, those without a running clock after them, closed ones last', () => {
    expect(sortRows(rows).map((one) => one.id)).toEqual([
      'cas-4',
      'cas-1',
      'cas-7',
      'cas-5',
      'cas-3',
      'cas-2',
      'cas-6',
      'cas-8',
    ]);
  });

  it('does not depend on the order in which the server answers', () => {
    const expected = sortRows(rows).map((one) => one.id);
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        expect(sortRows(shuffled).map((one) => one.id)).toEqual(expected);
      }),
    );
  });

  it('keeps every row where it is under the pointer, adds new ones after, and forgets those that left', () => {
    const sorted = sortRows(rows);
    const shown = ['cas-6', 'gone', 'cas-1'];
    const held = stableOrder(shown, sorted, true).map((one) => one.id);
    expect(held.slice(0, 2)).toEqual(['cas-6', 'cas-1']);
    expect(held.slice(2)).toEqual(sorted.map((one) => one.id).filter((id) => !shown.includes(id)));
    expect(stableOrder(shown, sorted, false)).toEqual(sorted);
  });
});

describe('the views of the worklist', () => {
  it('show open cases to deal with, those in hand, those signed, and all', () => {
    const ids = (filter: Parameters<typeof belongs>[1]) =>
      rows.filter((one) => belongs(one, filter)).map((one) => one.id);
    expect(ids('todo')).toEqual(['cas-1', 'cas-2', 'cas-3', 'cas-4', 'cas-5', 'cas-6', 'cas-7']);
    expect(ids('reading')).toEqual(['cas-5']);
    expect(ids('signed')).toEqual(['cas-8']);
    expect(ids('all')).toHaveLength(8);
  });

  it('ask the server only for the statuses that can be in them', () => {
    expect(worklistCriteria('todo')).toContain('&status=');
    expect(worklistCriteria('signed')).toContain('business-status=https%3A%2F%2Ffhir.passerelle.example');
    expect(worklistCriteria('all')).toBe(
      'code=https%3A%2F%2Ffhir.passerelle.example%2FCodeSystem%2Ftask-code%7Cteleradiology-case',
    );
  });

  it('find by any words, whatever their accents and case', () => {
    expect(matchesSearch(row('cas-6'), 'encephale faure')).toBe(true);
    expect(matchesSearch(row('cas-6'), 'ENCÉPHALE IPP-0006')).toBe(true);
    expect(matchesSearch(row('cas-6'), 'thorax')).toBe(false);
    expect(matchesSearch(row('cas-6'), '  ')).toBe(true);
  });
});

describe('what is said when the list changes by itself', () => {
  it('is nothing at first, the case when one comes, and how many when several come', () => {
    expect(arrivals(undefined, rows)).toEqual({ newIds: [], message: '' });
    const others = new Set(rows.map((one) => one.id).filter((id) => id !== 'cas-1'));
    expect(arrivals(others, rows)).toEqual({
      newIds: ['cas-1'],
      message: 'Nouveau dossier urgent : TEST-MOREAU CAMILLE, Scanner · Crâne, CH-EXEMPLE IMAGERIE.',
    });
    expect(arrivals(new Set(), [row('cas-1'), row('cas-6')]).message).toBe('2 nouveaux dossiers, dont 1 urgent.');
    expect(arrivals(new Set(['cas-1']), [row('cas-1')]).message).toBe('');
  });
});
