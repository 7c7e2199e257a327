import type { Bundle, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivals } from '../../src/ui/worklist/arrivals.ts';
import { belongs, matchesSearch, worklistCriteria, worklistQuestion } from '../../src/ui/worklist/filters.ts';
import { sortRows, stableOrder } from '../../src/ui/worklist/order.ts';
import { placeOf, shiftText } from '../../src/ui/worklist/place.ts';
import { type WorklistRow, worklistRows } from '../../src/ui/worklist/row.ts';
import { fakeResources } from './fake/resources.ts';
import { ranked } from './fake/worklist.ts';

const now = new Date('2026-11-22T02:30:00Z');
const bundle: Bundle = {
  resourceType: 'Bundle',
  type: 'searchset',
  entry: fakeResources(now.getTime()).map((resource: Resource) => ({ resource })),
};
const searched = worklistRows(bundle, now);
/** As the server ranks them; what is over it does not rank. */
const open = worklistRows(ranked(bundle), now);
const rows = searched.map((one) => open.find(({ id }) => id === one.id) ?? one);
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
  it('is the server’s: urgent cases first, then by their virtual due time, what is over last', () => {
    expect(sortRows(rows).map((one) => one.id)).toEqual([
      ...['cas-4', 'cas-1', 'cas-7', 'cas-5', 'cas-3', 'cas-2'],
      ...['cas-6', 'cas-8'],
    ]);
  });

  it('of what the server did not rank is the newest first', () => {
    const [a, b] = sortRows(searched).map(({ facts }) => facts.receivedAt?.getTime() ?? 0);
    expect(a).toBeGreaterThanOrEqual(b ?? 0);
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
  it('show what the server ranks, those signed, and all', () => {
    const ids = (filter: Parameters<typeof belongs>[1], of = rows) =>
      of.filter((one) => belongs(one, filter)).map((one) => one.id);
    expect(ids('todo')).toEqual(['cas-1', 'cas-2', 'cas-3', 'cas-4', 'cas-5', 'cas-6', 'cas-7']);
    expect(ids('signed', searched)).toEqual(['cas-8']);
    expect(ids('all', searched)).toHaveLength(8);
  });

  it('ask the server for what they show', () => {
    expect(worklistQuestion('todo')).toBe('_count=300');
    expect(worklistQuestion('reading')).toBe('_count=300&stage=in-hand');
    expect(worklistQuestion('mine')).toBe('_count=300&mine=true');
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

describe('why a case stands where it stands', () => {
  it('is by how much it was moved, and each term with its minutes', () => {
    const entry = ranked(bundle).entry?.find(({ resource }) => resource?.id === 'cas-1') ?? {};
    const place = placeOf(entry);
    expect(place?.terms).toEqual([
      { code: 'sub-specialty', minutes: 30, text: 'Votre sur-spécialité : Neuroradiologie' },
    ]);
    expect(place && shiftText(place)).toBe('▲ 30 min');
    expect(place && shiftText({ ...place, terms: [{ code: 'load', minutes: -6, text: '' }] })).toBe('▼ 6 min');
    expect(place && shiftText({ ...place, terms: [{ code: 'load', minutes: -485, text: '' }] })).toBe('▼ 8 h 05');
    expect(place && shiftText({ ...place, terms: [{ code: 'load', minutes: 480, text: '' }] })).toBe('▲ 8 h');
    expect(place && shiftText({ ...place, terms: [] })).toBeUndefined();
    expect(placeOf({})).toBeUndefined();
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
