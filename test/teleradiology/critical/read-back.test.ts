import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReadBack } from '../../../src/teleradiology/critical/read-back.ts';

const finding = 'Hématome sous-dural aigu gauche, effet de masse';

describe('a read-back', () => {
  it('is the sentence confirmed as it stands, whatever its capitals, accents and stops', () => {
    for (const said of [finding, finding.toUpperCase(), 'hematome sous dural aigu gauche effet de masse.'])
      expect(isReadBack(finding, said)).toBe(true);
  });

  it('is the finding restated with its words', () => {
    for (const said of ['hématome à gauche', 'Il y a un effet de masse sur un hématome', 'AIGU : hématome sous-dural'])
      expect(isReadBack(finding, said)).toBe(true);
    expect(isReadBack('Pneumothorax', 'le patient a un pneumothorax')).toBe(true);
  });

  it('is not that something was seen', () => {
    for (const said of ['vu', 'Vu, merci', 'ok', 'Bien reçu', 'lu et approuvé', '', '   ', '…', 'gauche', 'de de de'])
      expect(isReadBack(finding, said)).toBe(false);
  });

  it('is always given by repeating a finding that has any word, and never by words it does not have', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        fc.pre(/[\p{L}\p{N}]/u.test(text.normalize('NFD')));
        expect(isReadBack(text, text)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[b-d]{4,9}$/), { minLength: 1 }), (words) => {
        expect(isReadBack(finding, words.join(' '))).toBe(false);
      }),
    );
  });
});
