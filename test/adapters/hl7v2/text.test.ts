import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, encodeLossy } from '../../../src/adapters/hl7v2/charset.ts';
import { type Delimiters, escapeText, standardDelimiters, unescapeText } from '../../../src/adapters/hl7v2/escape.ts';
import { formatTimestamp, openTimeZone, parseTimestamp } from '../../../src/adapters/hl7v2/timestamp.ts';

const header = (charset: string, rest = '') =>
  `MSH|^~\\&|A|B|C|D|2026||ORM^O01|1|P|2.5.1|||||FRA|${charset}\rPID|1||${rest}\r`;

describe('escape sequences', () => {
  it('round-trip any text exactly', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(unescapeText(escapeText(text))).toBe(text);
      }),
    );
  });

  it('round-trip with other delimiters too', () => {
    const others: Delimiters = { field: '$', component: '%', repetition: '*', escape: '!', subcomponent: '@' };
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(unescapeText(escapeText(text, others), others)).toBe(text);
      }),
    );
  });

  it('never leave a delimiter in an escaped text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bare = escapeText(text).replaceAll(/\\[A-Z0-9.a-z]+\\/g, '');
        expect(bare).not.toMatch(/[|^~&\\\r\n]/);
      }),
    );
  });

  it.each([
    ['a\\T\\b\\S\\c\\R\\d\\F\\e\\E\\f', 'a&b^c~d|e\\f'],
    ['ligne 1\\.br\\ligne 2', 'ligne 1\nligne 2'],
    ['\\XC3A9\\t\\XE9\\', 'ét\\XE9\\'],
    ['\\H\\gras\\N\\', 'gras'],
    ['\\Zlocal\\ reste', '\\Zlocal\\ reste'],
    ['sans fin \\T', 'sans fin \\T'],
    ['C:\\dossier\\T\\x', 'C:\\dossier&x'],
  ])('read %s', (sent, text) => {
    const octets = (bytes: Buffer) => (bytes.length === 1 ? undefined : bytes.toString('utf8'));
    expect(unescapeText(sent, standardDelimiters, octets)).toBe(text);
  });
});

describe('character sets', () => {
  const text = 'Œdème, 12 € à l’été';

  it('reads 8859/15 as Latin-9, not as Latin-1', () => {
    const bytes = encode(header('8859/15', 'Œdème, 12 €'), '8859/15');
    expect(decode(bytes!)).toMatchObject({ charset: '8859/15', text: header('8859/15', 'Œdème, 12 €') });
  });

  it('reads UTF-8 and 8859/1 as announced', () => {
    expect(decode(Buffer.from(header('UNICODE UTF-8', text)))).toEqual({
      charset: 'UNICODE UTF-8',
      text: header('UNICODE UTF-8', text),
    });
    expect(decode(Buffer.from(header('8859/1', 'é'), 'latin1'))).toMatchObject({
      charset: '8859/1',
      text: header('8859/1', 'é'),
    });
  });

  it.each([
    [
      'octets that are not the announced UTF-8',
      Buffer.from(header('UNICODE UTF-8', 'é'), 'latin1'),
      'charset-mismatch',
    ],
    ['an unknown character set', Buffer.from(header('EBCDIC', 'é')), 'bad-charset'],
    ['accents without any announcement', Buffer.from(header('', 'é')), 'charset-missing'],
    ['accents announced as ASCII', Buffer.from(header('ASCII', 'é')), 'charset-mismatch'],
    ['UTF-8 announced as 8859/15', Buffer.from(header('8859/15', 'DUPRÉ Hélène')), 'charset-mismatch'],
    ['UTF-8 announced as 8859/1', Buffer.from(header('8859/1', 'l’été')), 'charset-mismatch'],
  ])('refuses %s', (_, bytes, problem) => expect(decode(bytes)).toMatchObject({ problem }));

  it.each(['8859/1', '8859/15'])('reads what only Windows-1252 can mean under %s, and says so', (announced) => {
    const bytes = Buffer.from(header(announced, 'S\x8cUR, l\x92\xe9t\xe9'), 'latin1');
    expect(decode(bytes)).toMatchObject({
      text: header(announced, 'SŒUR, l’été'),
      warning: expect.stringContaining('Windows-1252'),
    });
  });

  it('takes an absent MSH-18 as ASCII', () => {
    expect(decode(Buffer.from(header('', 'x')))).toEqual({ charset: 'ASCII', text: header('', 'x') });
  });

  it('says when a character cannot be written, and writes an acknowledgement all the same', () => {
    expect(encode('l’été', '8859/15')).toBeUndefined();
    expect(encodeLossy('l’été œ', '8859/1').toString('latin1')).toBe("l'été oe");
    expect(encodeLossy('Clé absente', 'ASCII').toString()).toBe('Cle absente');
  });
});

describe('times', () => {
  const paris = openTimeZone('Europe/Paris');

  it.each([
    ['20260512081000+0200', '2026-05-12T06:10:00Z'],
    ['20260512081000', '2026-05-12T06:10:00Z'],
    ['20260112081000', '2026-01-12T07:10:00Z'],
    ['202605120810', '2026-05-12T06:10:00Z'],
    ['20260512', '2026-05-12'],
    ['202605', '2026-05'],
    ['2026', '2026'],
    ['20260512081000.1234-0300', '2026-05-12T11:10:00Z'],
  ])('%s is %s', (sent, dateTime) => expect(parseTimestamp(sent, paris)?.dateTime).toBe(dateTime));

  it('reads the hour that winter time repeats as the first one, and the hour that summer time skips without failing', () => {
    expect(parseTimestamp('20261025023000', paris)?.dateTime).toBe('2026-10-25T00:30:00Z');
    expect(parseTimestamp('20261025033000', paris)?.dateTime).toBe('2026-10-25T02:30:00Z');
    expect(parseTimestamp('20260329023000', paris)?.dateTime).toBe('2026-03-29T01:30:00Z');
  });

  it.each(['20260231', '2026051', '20261301', '202605120', '20260512250000', '20260512081000+9900', 'hier', ''])(
    'refuses %s',
    (sent) => expect(parseTimestamp(sent, paris)).toBeUndefined(),
  );

  it('reads back every time it writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1990-01-01'), max: new Date('2089-12-31'), noInvalidDate: true }),
        (date) => {
          const whole = new Date(Math.floor(date.getTime() / 1000) * 1000);
          expect(parseTimestamp(formatTimestamp(whole, paris), paris)?.instant).toEqual(whole);
        },
      ),
    );
  });
});
