import { describe, expect, it } from 'vitest';
import { contactOf, withContact } from '../../src/ui/rota/contact.ts';
import {
  daysOf,
  frenchDay,
  hoursText,
  localFormats,
  monthShifted,
  ofMonth,
  rotaOf,
  uncoveredDays,
  weekdayOf,
} from '../../src/ui/rota/month.ts';
import { dutyOf, fromText, untilNextMs, untilText } from '../../src/ui/rota/on-duty.ts';
import { expiryState, heldBy, qualificationSystem, withQualification } from '../../src/ui/rota/qualifications.ts';
import { scanOf } from '../../src/ui/rota/scans.ts';
import { spacedPhone } from '../../src/ui/words/phone.ts';

describe('a month on the screen', () => {
  it('has its own days and neighbours', () => {
    expect(daysOf('2028-02')).toHaveLength(29);
    expect(monthShifted('2026-12', 1)).toBe('2027-01');
    expect(monthShifted('2026-01', -1)).toBe('2025-12');
    expect(weekdayOf('2026-11-22')).toBe(7);
    expect(frenchDay('2026-11-22')).toBe('dim. 22');
  });

  it('shows the hours of the establishment, wherever the screen is, and the day of an end that is far', () => {
    const night = { start: '2026-10-24T18:00:00Z', end: '2026-10-25T07:00:00Z' };
    expect(hoursText(night, localFormats('Europe/Paris'))).toBe('20:00 – 08:00');
    expect(hoursText(night, localFormats('Indian/Reunion'))).toBe('22:00 – 11:00');
    expect(hoursText({ ...night, end: '2026-10-26T07:00:00Z' }, localFormats('Europe/Paris'))).toBe(
      '20:00 – 08:00 (lun. 26)',
    );
  });

  it('is read from what the server tells', () => {
    const rota = rotaOf({
      resourceType: 'Parameters',
      parameter: [
        { name: 'month', valueString: '2026-12' },
        { name: 'timeZone', valueCode: 'Europe/Paris' },
        { name: 'published', valueInstant: '2026-11-20T08:00:00Z' },
        { name: 'late', valueBoolean: true },
        { name: 'lateChanges', valueInteger: 2 },
        {
          name: 'shift',
          part: [
            { name: 'slot', valueReference: { reference: 'Slot/7' } },
            { name: 'kind', valueCode: 'coordinator' },
            { name: 'practitioner', valueReference: { reference: 'Practitioner/a', display: 'Dr A' } },
            { name: 'start', valueInstant: '2026-12-01T19:00:00Z' },
            { name: 'end', valueInstant: '2026-12-02T07:00:00Z' },
            { name: 'published', valueBoolean: true },
            { name: 'void', valueBoolean: true },
          ],
        },
        {
          name: 'warning',
          part: [
            { name: 'code', valueCode: 'gap' },
            { name: 'text', valueString: 'Aucun radiologue.' },
          ],
        },
      ],
    });
    expect(rota).toMatchObject({ month: '2026-12', late: true, lateChanges: 2, changes: 0 });
    expect(rota.shifts).toMatchObject([{ slot: '7', kind: 'coordinator', name: 'Dr A', published: true, void: true }]);
    expect(rota.warnings).toMatchObject([{ code: 'gap', text: 'Aucun radiologue.' }]);
    // From the evening of the 3rd to midnight of the 5th.
    const hole = { code: 'gap', text: '', start: '2026-12-03T19:00:00Z', end: '2026-12-05T23:00:00Z' };
    expect([...uncoveredDays({ ...rota, warnings: [hole] }, localFormats('Europe/Paris'))]).toEqual([
      '2026-12-03',
      '2026-12-04',
      '2026-12-05',
    ]);
  });
});

describe('what a rota is called', () => {
  it('is said as French says it: months with their article, a whole day without its hours twice', () => {
    expect(['2027-01', '2027-04', '2026-08', '2026-10'].map(ofMonth)).toEqual([
      'de janvier 2027',
      'd’avril 2027',
      'd’août 2026',
      'd’octobre 2026',
    ]);
    const formats = localFormats('Europe/Paris');
    const hours = (start: string, end: string) => hoursText({ start, end }, formats);
    expect(hours('2026-12-05T07:00:00Z', '2026-12-06T07:00:00Z')).toBe('24 h à partir de 08:00');
    expect(hours('2026-12-04T23:00:00Z', '2026-12-05T23:00:00Z')).toBe('toute la journée');
    expect(hours('2026-12-05T19:00:00Z', '2026-12-06T07:00:00Z')).toBe('20:00 – 08:00');
    expect(hours('2026-12-05T07:00:00Z', '2026-12-07T07:00:00Z')).toBe('08:00 – 08:00 (lun. 7)');
  });
});

describe('whom to call', () => {
  it('is in the order of the server, with a number that can be read aloud', () => {
    const duty = dutyOf({
      resourceType: 'Parameters',
      parameter: [
        { name: 'establishment', valueReference: { reference: 'Organization/o', display: 'CH' } },
        { name: 'covered', valueBoolean: false },
        {
          name: 'duty',
          part: [
            { name: 'kind', valueCode: 'coordinator' },
            { name: 'phone', valueString: '0612345678' },
          ],
        },
        { name: 'next', part: [{ name: 'kind', valueCode: 'radiologist' }] },
      ],
    });
    expect(duty).toMatchObject({ establishment: 'CH', covered: false, next: { kind: 'radiologist' } });
    expect(duty.now.map(({ kind }) => kind)).toEqual(['coordinator']);
    const formats = localFormats('Indian/Reunion');
    const now = new Date('2026-11-22T20:30:00Z');
    expect(untilText('2026-11-23T04:00:00Z', now, formats)).toBe('jusqu’à 08:00');
    expect(untilText('2026-11-24T04:00:00Z', now, formats)).toBe('jusqu’au 24/11/2026 08:00');
    expect(fromText('2026-11-24T04:00:00Z', now, formats)).toBe('à partir du 24/11/2026 08:00');
    const calls = {
      kind: 'radiologist' as const,
      name: '',
      phone: '',
      email: '',
      since: '',
      until: '2026-11-22T20:31:00Z',
    };
    expect(untilNextMs({ ...duty, now: [calls], next: undefined }, now)).toBe(60_000);
    expect(untilNextMs(undefined, now)).toBe(Number.POSITIVE_INFINITY);
    expect(spacedPhone('0612345678')).toBe('06 12 34 56 78');
    expect(spacedPhone('06 12.34-56 78')).toBe('06 12 34 56 78');
    expect(spacedPhone('+33 6 12 34 56 78')).toBe('+33 6 12 34 56 78');
  });
});

describe('how somebody on duty is reached', () => {
  it('is changed where it stands, and other means stay', () => {
    const person = {
      resourceType: 'Practitioner' as const,
      telecom: [
        { system: 'phone' as const, use: 'home' as const, value: '0511111111' },
        { system: 'phone' as const, use: 'mobile' as const, value: '0600000001' },
      ],
    };
    expect(contactOf(person, 'phone')).toBe('0600000001');
    const changed = withContact(withContact(person, 'phone', '0600000002'), 'email', 'a@exemple.fr');
    expect([contactOf(changed, 'phone'), contactOf(changed, 'email')]).toEqual(['0600000002', 'a@exemple.fr']);
    expect(changed.telecom).toContainEqual({ system: 'phone', use: 'home', value: '0511111111' });
    expect(contactOf(withContact(changed, 'email', ''), 'email')).toBe('');
  });
});

describe('certificates on the screen', () => {
  const held = (end: string) => ({ code: 'insurance' as const, number: '', issuer: '', start: '', end });

  it('change colour 60 and 30 days before their end, and after their last day', () => {
    const states = ['2026-11-21', '2026-11-22', '2026-12-22', '2026-12-23', '2027-01-21', '2027-01-22', ''].map((end) =>
      expiryState(held(end), '2026-11-22'),
    );
    expect(states).toEqual(['expired', 'soon', 'soon', 'near', 'near', 'valid', 'valid']);
    expect(expiryState(undefined, '2026-11-22')).toBe('missing');
    expect(expiryState(held('2026-11'), '2026-11-22')).not.toBe('expired');
  });

  it('are added to what is on file, the one that lasts longest shown first', () => {
    const before = {
      resourceType: 'Practitioner' as const,
      qualification: [
        { code: { coding: [{ system: 'other', code: 'x' }] } },
        { code: { coding: [{ system: qualificationSystem, code: 'insurance' }] }, period: { end: '2026-12-31' } },
      ],
    };
    const after = withQualification(before, { ...held('2027-12-31'), number: 'P-1', issuer: 'MACSF' });
    expect(after.qualification).toHaveLength(3);
    expect(heldBy(after).map(({ end }) => end)).toEqual(['2027-12-31', '2026-12-31']);
    expect(heldBy(after)[0]).toMatchObject({ number: 'P-1', issuer: 'MACSF' });
  });

  it('have scans that are given back as they were', async () => {
    const { blob, name } = scanOf({
      resourceType: 'DocumentReference',
      status: 'current',
      content: [{ attachment: { contentType: 'application/pdf', title: 'a.pdf', data: 'JVBERi0xLjQ=' } }],
    });
    expect([await blob.text(), blob.type, name]).toEqual(['%PDF-1.4', 'application/pdf', 'a.pdf']);
  });
});
