import { readFileSync } from 'node:fs';
import type { Contract } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectResource } from '../../../src/fhir/validation/index.ts';
import { hourBands, type LocalCalendar } from '../../../src/teleradiology/clock/index.ts';
import {
  type Circumstances,
  chooseTerm,
  defaultTerms,
  penaltyAmounts,
  readContract,
  type Terms,
} from '../../../src/teleradiology/contract-terms/index.ts';
import { defaultSettings } from '../../../src/teleradiology/index.ts';
import { act, band, type Clause, contractOf, escalation, minutes, reminder, setting, urgency } from './contracts.ts';

const paris: LocalCalendar = { timeZone: 'Europe/Paris', holidays: 'france' };
const defaults: Terms = { terms: defaultTerms(defaultSettings), alsoHolidays: [] };
/** A Tuesday, 16:10 in Paris. */
const tuesday = new Date('2026-05-12T14:10:00Z');
const agreed = (clauses: Clause[], more: Partial<Contract> = {}): Terms => {
  const contract = contractOf(clauses, { id: '1', meta: { versionId: '1' }, ...more });
  const { problems, ...terms } = readContract(contract, 'Europe/Paris');
  expect(problems).toEqual([]);
  return terms;
};
const reading = (more: Partial<Circumstances> = {}): Circumstances => ({
  clock: 'interpretation',
  started: tuesday,
  acts: [],
  urgency: 'urgent',
  setting: undefined,
  ...more,
});
const rule = (terms: Terms[], of: Circumstances): string => chooseTerm([...terms, defaults], of, paris).term.rule;

describe('without a contract', () => {
  it('the tender decides: an hour for urgent and in-patient cases, the next morning for the others', () => {
    expect(rule([], reading())).toBe('urgent-1h');
    expect(rule([], reading({ urgency: 'routine', setting: 'emergency' }))).toBe('urgent-1h');
    expect(rule([], reading({ urgency: 'routine', setting: 'inpatient' }))).toBe('inpatient-1h');
    expect(rule([], reading({ urgency: 'urgent', setting: 'inpatient' }))).toBe('inpatient-1h');
    expect(rule([], reading({ urgency: 'routine', setting: 'outpatient' }))).toBe('routine-0800');
    expect(rule([], reading({ urgency: 'routine' }))).toBe('routine-0800');
  });

  it('every clock has a delay, whatever is known of the case', () => {
    for (const clock of ['second-reading', 'complement', 'critical', 'information', 'lease', 'expiry'] as const)
      expect(chooseTerm([defaults], reading({ clock }), paris).term.clock).toBe(clock);
    const delays = defaults.terms.map(({ rule, delay }) => [rule, 'minutes' in delay ? delay.minutes : delay.morning]);
    expect(Object.fromEntries(delays)).toMatchObject({
      'urgent-1h': 60,
      'routine-0800': '08:00',
      'second-reading-12h': 720,
      'complement-24h': 1440,
      'critical-15min': 15,
      information: 60,
    });
  });
});

describe('of several clauses', () => {
  const clauses: Clause[] = [
    { rule: 'all', clock: 'interpretation', parts: [minutes(120)] },
    { rule: 'night', clock: 'interpretation', parts: [band('night'), minutes(90)] },
    { rule: 'urgent', clock: 'interpretation', parts: [urgency('urgent'), minutes(45)] },
    { rule: 'emergency', clock: 'interpretation', parts: [setting('emergency'), minutes(30)] },
    { rule: 'head', clock: 'interpretation', parts: [act('ACQK001'), minutes(20)] },
  ];

  it('the most specific wins: act, then setting, then urgency, then hour', () => {
    const terms = [agreed(clauses)];
    expect(rule(terms, reading({ urgency: 'routine' }))).toBe('all');
    expect(rule(terms, reading({ urgency: 'routine', started: new Date('2026-05-12T20:00:00Z') }))).toBe('night');
    expect(rule(terms, reading({ started: new Date('2026-05-12T20:00:00Z') }))).toBe('urgent');
    expect(rule(terms, reading({ setting: 'emergency' }))).toBe('emergency');
    const head = { system: 'urn:oid:1.2.250.1.215.300.1', code: 'ACQK001' };
    expect(rule(terms, reading({ setting: 'emergency', acts: [head] }))).toBe('head');
    expect(rule(terms, reading({ setting: 'emergency', acts: [{ ...head, system: 'urn:oid:1' }] }))).toBe('emergency');
  });

  it('a clause of the contract wins over every default on its clock, and over none on another', () => {
    const terms = [agreed(clauses.slice(0, 1))];
    expect(rule(terms, reading({ setting: 'inpatient' }))).toBe('all');
    expect(rule(terms, reading({ clock: 'critical' }))).toBe('critical-15min');
  });

  it('only those valid when the clock starts count: a day begins at the midnight of the establishment, and ends with it', () => {
    const old: Clause = { ...clauses[0]!, applies: { end: '2026-05-31' } };
    const young: Clause = { ...clauses[2]!, rule: 'june', parts: [minutes(10)], applies: { start: '2026-06' } };
    const terms = [agreed([old, young], { applies: { start: '2026-01-01', end: '2026-06-30' } })];
    const at = (started: string) => rule(terms, reading({ started: new Date(started) }));
    expect(at('2026-05-31T21:59:59Z')).toBe('all');
    expect(at('2026-05-31T22:00:00Z')).toBe('june');
    expect(at('2026-06-30T21:59:59Z')).toBe('june');
    expect(at('2026-06-30T22:00:00Z')).toBe('urgent-1h');
    expect(at('2025-12-31T22:59:59Z')).toBe('urgent-1h');
  });

  it('of two as specific the later one applies, then the shorter, whatever their order in the contract', () => {
    const a: Clause = { rule: 'a', clock: 'interpretation', parts: [minutes(50)] };
    const b: Clause = { rule: 'b', clock: 'interpretation', parts: [minutes(40)] };
    const late: Clause = {
      rule: 'late',
      clock: 'interpretation',
      parts: [minutes(60)],
      applies: { start: '2026-02-01' },
    };
    for (const order of [
      [a, b],
      [b, a],
    ])
      expect(rule([agreed(order)], reading())).toBe('b');
    for (const order of [
      [a, late],
      [late, a],
    ])
      expect(rule([agreed(order)], reading())).toBe('late');
  });

  it('the case is told which, where and why', () => {
    const terms = agreed([
      { ...clauses[3]!, text: 'Passage aux urgences.', parts: [setting('emergency'), band('day'), minutes(30)] },
    ]);
    const chosen = chooseTerm([terms, defaults], reading({ setting: 'emergency' }), paris);
    expect(chosen.term.contract).toBe('Contract/1/_history/1');
    expect(chosen.why).toBe('Passage aux urgences (urgences, jour de semaine) : 30 min, contrat.');
    expect(chooseTerm([defaults], reading(), paris).why).toBe('Urgence : 60 min, délais par défaut.');
  });

  it("a day that the contract adds is a holiday of its establishment's calendar", () => {
    const holiday = {
      url: 'https://fhir.passerelle.example/StructureDefinition/additional-holiday',
      valueDate: '2026-05-12',
    };
    const clause: Clause = { rule: 'feast', clock: 'interpretation', parts: [band('holiday'), minutes(30)] };
    expect(rule([agreed([clause], { extension: [holiday] })], reading())).toBe('feast');
    expect(rule([agreed([clause])], reading())).toBe('urgent-1h');
  });

  it('one always applies, the same whatever the order', () => {
    const parts = fc.record({
      urgency: fc.constantFrom('urgent', 'routine', undefined),
      setting: fc.constantFrom('emergency', 'inpatient', 'outpatient', undefined),
      band: fc.constantFrom(...hourBands, undefined),
      minutes: fc.integer({ min: 1, max: 600 }),
    });
    const clausesOf = fc.array(parts, { maxLength: 6 }).map((all) =>
      all.map(
        (each, index): Clause => ({
          rule: `c${index}`,
          clock: 'interpretation',
          parts: [
            ...(each.urgency ? [urgency(each.urgency)] : []),
            ...(each.setting ? [setting(each.setting)] : []),
            ...(each.band ? [band(each.band)] : []),
            minutes(each.minutes),
          ],
        }),
      ),
    );
    const instants = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') });
    fc.assert(
      fc.property(clausesOf, instants, fc.constantFrom('urgent', 'routine'), (all, ms, urgent) => {
        const of = reading({ started: new Date(ms), urgency: urgent as 'urgent', setting: 'inpatient' });
        const there = all.length > 0 ? [agreed(all)] : [];
        const reversed = all.length > 0 ? [agreed([...all].reverse())] : [];
        expect(rule(there, of)).toBe(rule(reversed, of));
      }),
    );
  });
});

describe('a contract', () => {
  const good: Clause = {
    rule: 'urgent',
    clock: 'interpretation',
    parts: [
      urgency('urgent'),
      minutes(45),
      reminder(80),
      reminder(40),
      escalation('coordinator', 0),
      escalation('site', 30),
    ],
    penalties: [
      ['late-case', 50],
      ['started-hour', 12.5],
    ],
  };

  it('written in full conforms to the profile, and says who is reminded, who is escalated to, what lateness costs', () => {
    const contract = contractOf([good], { applies: { start: '2026-01-01' } });
    expect(inspectResource(contract, {}).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(readContract(contract, 'Europe/Paris')).toMatchObject({
      problems: [],
      terms: [
        {
          rule: 'urgent',
          reminders: [40, 80],
          escalations: [
            { to: 'coordinator', afterMinutes: 0 },
            { to: 'site', afterMinutes: 30 },
          ],
          penalties: [
            { unit: 'late-case', cents: 5000, currency: 'EUR' },
            { unit: 'started-hour', cents: 1250, currency: 'EUR' },
          ],
        },
      ],
    });
  });

  it('as docs/fhir-conventions.md shows one conforms, and says what it is meant to', () => {
    const page = readFileSync(new URL('../../../docs/fhir-conventions.md', import.meta.url), 'utf8');
    const section = page.slice(page.indexOf('## Contract of an establishment'));
    const contract = JSON.parse(/```json\n([\s\S]*?)```/.exec(section)?.[1] ?? '') as Contract;
    expect(inspectResource(contract, {}).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { problems, ...terms } = readContract(contract, 'Europe/Paris');
    expect(problems).toEqual([]);
    expect(rule([terms], reading({ started: new Date('2027-01-09T12:00:00Z') }))).toBe('urgence-nuit');
    expect(rule([terms], reading({ started: new Date('2026-12-31T22:59:59Z') }))).toBe('urgent-1h');
  });

  it('that says nothing of reminders has those of the platform: it is never silent', () => {
    const [term] = agreed([{ rule: 'x', clock: 'interpretation', parts: [minutes(5)] }]).terms;
    expect(term?.reminders).toEqual([50, 75, 100]);
    expect(term?.escalations.map(({ to }) => to)).toEqual(['coordinator', 'site']);
  });

  it('with a mistake names the clause and what is wrong', () => {
    const problem = (clause: Partial<Clause>, more: Partial<Contract> = {}): string[] =>
      readContract(contractOf([{ ...good, ...clause }], more), 'Europe/Paris').problems.map(
        ({ expression, text }) => `${expression} ${text}`,
      );
    expect(problem({})).toEqual([]);
    expect(problem({ clock: 'coffee' })[0]).toContain('Contract.term[0].type');
    expect(problem({ rule: 'Un nom' })[0]).toContain('Contract.term[0].identifier');
    expect(problem({ parts: [] })[0]).toContain('délai en minutes');
    expect(problem({ parts: [minutes(45), { url: 'time', valueTime: '08:00:00' }] })[0]).toContain('pas les deux');
    expect(problem({ parts: [minutes(10_000_000)] })[0]).toContain('minutes');
    expect(problem({ parts: [{ url: 'time', valueTime: '25:00' }] })[0]).toContain('HH:MM');
    expect(problem({ parts: [minutes(5), urgency('très')] })[0]).toContain('urgent, routine');
    expect(problem({ parts: [minutes(5), band('midi')] })[0]).toContain('night');
    expect(problem({ parts: [minutes(5), reminder(120)] })[0]).toContain('1 à 100');
    expect(problem({ parts: [minutes(5), escalation('préfet', 5)] })[0]).toContain('escalade');
    expect(problem({ parts: [minutes(5), escalation('owner', 5), escalation('owner', 6)] })[0]).toContain('une fois');
    expect(problem({ penalties: [['late-case', 0]] })[0]).toContain('pénalité');
    expect(problem({ penalties: [['late-case', 1.234]] })[0]).toContain('centimes');
    expect(problem({ applies: { start: '2026-06-01', end: '2026-05-01' } })[0]).toContain('finit avant');
    expect(problem({ applies: { start: '2026-02-30' } })[0]).toContain("n'existe pas");
    expect(problem({}, { term: [] })[0]).toContain('aucune clause');
    expect(readContract(contractOf([good, good]), 'Europe/Paris').problems[0]?.text).toContain('Deux clauses');
  });
});

describe('the penalty of a late clock', () => {
  const eur = (lateMinutes: number): number | undefined =>
    penaltyAmounts(
      [
        { unit: 'late-case', cents: 5000, currency: 'EUR' },
        { unit: 'started-hour', cents: 1250, currency: 'EUR' },
      ],
      lateMinutes * 60_000,
    ).get('EUR');

  it('counts the case once and each hour that began; nothing when it was in time', () => {
    expect([-5, 0].map(eur)).toEqual([undefined, undefined]);
    expect([1, 60, 61, 600].map(eur)).toEqual([6250, 6250, 7500, 17_500]);
    expect(penaltyAmounts([{ unit: 'started-day', cents: 100, currency: 'XPF' }], 25 * 3_600_000)).toEqual(
      new Map([['XPF', 200]]),
    );
  });

  it('never shrinks as the lateness grows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 5_000 }), (late, more) => {
        expect(eur(late + more) ?? 0).toBeGreaterThanOrEqual(eur(late) ?? 0);
      }),
    );
  });
});
