import type { Extension, Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { caseFacts } from '../../src/ui/case/case-facts.ts';
import { clocksOf, legalTime, netTime, owedClock } from '../../src/ui/case/clocks.ts';

const at = (time: string): string => `2026-05-12T${time}:00.000Z`;
const now = (time: string): Date => new Date(at(time));
const clock = (name: string, due: string, more: Extension[] = []): Extension => ({
  url: 'https://fhir.passerelle.example/StructureDefinition/clock',
  extension: [
    { url: 'name', valueCode: name },
    { url: 'started', valueDateTime: at('08:00') },
    { url: 'due', valueDateTime: at(due) },
    { url: 'late', valueBoolean: false },
    ...more,
  ],
});
const task = (...extension: Extension[]): Task => ({
  resourceType: 'Task',
  intent: 'order',
  status: 'ready',
  restriction: { period: { end: at('09:00') } },
  extension,
});
const only = (extension: Extension) => clocksOf(task(extension))[0]!;

describe('the clocks of the case page', () => {
  it('are named in French and tell the time left; the time of the case is the reading’s, whatever else runs', () => {
    const both = task(
      clock('protocol', '08:30', [{ url: 'late', valueBoolean: true }]),
      clock('interpretation', '09:00'),
    );
    expect(clocksOf(both).map(({ label }) => label)).toEqual(['Protocole', 'Interprétation']);
    expect(caseFacts(both)).toMatchObject({ late: false, clockStarted: now('08:00') });
    expect(legalTime(clocksOf(both)[1]!, now('08:20'))).toEqual({ level: 'calm', text: '40 min' });
  });

  it('leave one to count down in a list: a critical result, else the reading, else what is due first, by its name', () => {
    const stopped = { url: 'stopped', valueDateTime: at('08:05') };
    const shown = (...clocks: Extension[]) => owedClock(task(...clocks))?.what;
    expect(shown(clock('expiry', '08:10'), clock('images', '09:30'), clock('information', '09:00'))).toBe(
      'réponse du site',
    );
    expect(shown(clock('lease', '08:20'), clock('identity', '08:30'), clock('interpretation', '09:00'))).toBe(
      'lecture',
    );
    expect(shown(clock('interpretation', '08:10'), clock('critical', '08:15'))).toBe('résultat critique');
    expect(shown(clock('protocol', '08:30', [stopped]))).toBeUndefined();
    expect(shown(clock('delivery', '08:10'), clock('expiry', '12:00'))).toBeUndefined();
  });

  it('show the net time beside the legal one while and after the establishment owed an answer', () => {
    const running = only(clock('interpretation', '09:00', [{ url: 'pausedSince', valueDateTime: at('08:10') }]));
    expect(legalTime(running, now('09:05'))).toEqual({ level: 'late', text: 'retard 5 min' });
    expect(netTime(running, now('09:05'))?.text).toBe('50 min, en pause');
    const total = { url: 'pausedTotal', valueDuration: { value: 900, code: 's', system: 'http://unitsofmeasure.org' } };
    const signed = only(clock('interpretation', '09:00', [total, { url: 'stopped', valueDateTime: at('09:10') }]));
    expect(legalTime(signed, now('12:00'))).toEqual({ level: 'late', text: 'retard 10 min' });
    expect(netTime(signed, now('12:00'))).toEqual({ level: 'kept', text: 'tenu' });
    expect(netTime(only(clock('interpretation', '09:00')), now('08:10'))).toBeUndefined();
  });

  it('understand a case from before there were several', () => {
    const old: Extension = {
      url: 'https://fhir.passerelle.example/StructureDefinition/clock',
      extension: [{ url: 'started', valueDateTime: at('08:00') }],
    };
    expect(only(old)).toMatchObject({ name: 'interpretation', due: now('09:00') });
  });
});
