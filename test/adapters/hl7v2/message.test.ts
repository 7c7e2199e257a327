/** Splitting messages, beside a library that does the same: `Hl7Message` of `@medplum/core` is the referee. */
import { Hl7Message } from '@medplum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unescapeText } from '../../../src/adapters/hl7v2/escape.ts';
import { parseMessage } from '../../../src/adapters/hl7v2/message.ts';
import { Refusal } from '../../../src/adapters/hl7v2/refusal.ts';

const leaf = fc.string({ unit: fc.constantFrom(...'ab 1é|^~\\&"$%*!@'), maxLength: 14 });
const segment = fc
  .tuple(fc.constantFrom('PID', 'ORC', 'OBR', 'OBX', 'NTE', 'ZZZ', 'MSH'), fc.array(leaf, { maxLength: 6 }))
  .map((parts) => parts.flat());
const delimiters = fc.constantFrom('|^~\\&', '$%*!@', '|^~\\\\', '|||||');
const message = fc
  .record({ delimiters, header: fc.array(leaf, { maxLength: 8 }), segments: fc.array(segment, { maxLength: 6 }) })
  .map(({ delimiters: [field = '', ...rest], header, segments }) =>
    [`MSH${field}${rest.join('')}`, ...header].join(field).concat('\r', segments.map((s) => s.join(field)).join('\r')),
  );

/** What the library says, with what is ours about text: escapes resolved, `""` absent, trimmed. */
function expected(text: string) {
  const lines = text.split(/\r/).filter((line) => line.trim() !== '');
  const [, , , field = '', component = '', repetition = '', marker = '', subcomponent = ''] = text;
  const used = { field, component, repetition, escape: marker, subcomponent };
  const said = (value: string | undefined) => {
    const plain = unescapeText(value ?? '', used, (octets) => octets.toString('utf8')).trim();
    return plain === '' || plain === '""' ? undefined : plain;
  };
  return Hl7Message.parse(lines.join('\r')).segments.map((each) => ({
    name: each.name,
    fields: places.map(({ n, c, s, r }) => {
      const found = each.getField(n);
      const repetitions = !found || found.toString() === '' ? 0 : found.components.length;
      const value = found?.components[r] ? said(found.getComponent(c, s - 1, r)) : undefined;
      return { n, repetitions, value, text: said(found?.toString()) };
    }),
  }));
}

/** MSH-1 and MSH-2 are the delimiters themselves: see below. */
const places = [3, 4, 5, 6, 7, 12].flatMap((n) =>
  [1, 2, 3].flatMap((c) => [1, 2].flatMap((s) => [0, 1, 2].map((r) => ({ n, c, s, r })))),
);

describe('a message is split', () => {
  it('as the library splits it, whatever its delimiters and whatever stands in it', () => {
    let compared = 0;
    fc.assert(
      fc.property(message, (text) => {
        const { segments } = parseMessage(text, 'UNICODE UTF-8');
        const ours = segments.map((each) => ({
          name: each.name,
          fields: places.map(({ n, c, s, r }) => {
            return { n, repetitions: each.repetitions(n), value: each.value(n, c, s, r), text: each.text(n) };
          }),
        }));
        expect(ours).toEqual(expected(text));
        compared += segments.length;
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  it('with MSH-1 and MSH-2 as they stand, and fields of MSH counted from there', () => {
    const { segments, first } = parseMessage('MSH|^~\\&|RIS|CH^2.16^ISO\rPID|1||A^^^B&1.2&ISO~C\r', 'UNICODE UTF-8');
    const [header] = segments;
    expect([1, 2, 3].map((n) => header?.text(n))).toEqual(['|', '^~\\&', 'RIS']);
    expect(header?.value(2)).toBe('^~\\&');
    expect(header?.value(4, 3)).toBe('ISO');
    expect(first('PID')?.repetitions(3)).toBe(2);
    expect(first('PID')?.value(3, 4, 2)).toBe('1.2');
    expect(first('PID')?.value(3, 1, 1, 1)).toBe('C');
  });

  it('into absent values past the last field, component, sub-component and repetition', () => {
    const pid = parseMessage('MSH|^~\\&|A\rPID|1|""|x\r', 'UNICODE UTF-8').first('PID');
    expect([pid?.value(2), pid?.value(9), pid?.value(3, 2), pid?.value(3, 1, 2), pid?.value(3, 1, 1, 4)]).toEqual(
      Array(5).fill(undefined),
    );
    expect([pid?.repetitions(3), pid?.repetitions(9)]).toEqual([1, 0]);
  });

  it('with the occurrences of a segment counted, whatever ends its lines', () => {
    const { segments } = parseMessage('\uFEFFMSH|^~\\&|A\r\nOBX|1\n\nOBX|2\rNTE|1', 'UNICODE UTF-8');
    expect(segments.map(({ name, ordinal }) => `${name}${ordinal}`)).toEqual(['MSH1', 'OBX1', 'OBX2', 'NTE1']);
  });

  it('with the lines of a free text whose sender did not escape its line ends kept together', () => {
    const text = 'MSH|^~\\&|A\rNTE|1||Allergique\nà l’iode|FINALITE\r\n OBX|1\rsuite\rOBX|2\n';
    const { segments, continued } = parseMessage(text, 'UNICODE UTF-8');
    expect(segments.map(({ name, ordinal }) => `${name}${ordinal}`)).toEqual(['MSH1', 'NTE1', 'OBX1', 'OBX2']);
    expect(segments[1]?.text(3)).toBe('Allergique\nà l’iode');
    expect(segments[1]?.value(4)).toBe('FINALITE');
    expect(segments[2]?.text(1)).toBe('1\nsuite');
    expect(continued).toBe(2);
  });

  it.each(['', 'PID|1', 'MSH', 'MSH|^~', 'MSHA^~\\&|x', `MSH|^~\\&|A\r${'NTE\r'.repeat(20_000)}`])(
    'or refused when it is none',
    (text) => {
      expect(() => parseMessage(text, 'UNICODE UTF-8')).toThrow(Refusal);
    },
  );
});
