import { describe, expect, it } from 'vitest';
import { phoneticKeys } from '../../../src/fhir/search/phonetic.ts';
import { processorMs } from '../../support/processor-time.ts';

describe('the sound of French names', () => {
  it.each([
    ['Dupont', 'Dupond', 'DUPPONT'],
    ['Lefebvre', 'Lefèvre', 'Le\u00ADfevre'],
    ['Moreau', 'Morot', 'Moraud', 'Moro'],
    ['Gauthier', 'Gautier', 'Gotier'],
    ['Philippe', 'Filip', 'Philip'],
    ['Henri', 'Henry'],
    ['Thomas', 'Toma'],
    ['Renault', 'Renaud', 'Reno'],
    ['Durand', 'Durant', 'Duran'],
    ['Jacques', 'Jaque'],
    ['François', 'Fransois'],
    ['Chevalier', 'Chevallier'],
    ['Roussel', 'Rousselle'],
    ['Beauchamp', 'Bochan'],
    ['Schmitt', 'Schmidt'],
    ['Martin', 'Martain'],
    ['Quentin', 'Kentin'],
    ['Aubry', 'Obri'],
  ])('%s and %s are the same', (...names) => {
    const keys = names.map((name) => phoneticKeys(name).join(' '));
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).not.toBe('');
  });

  it.each([
    ['Martin', 'Martinez'],
    ['Bernard', 'Bertrand'],
    ['Petit', 'Patit'],
    ['Girard', 'Guérard'],
    ['Roux', 'Rose'],
    ['Blanc', 'Blin'],
  ])('%s and %s are not', (one, other) => {
    expect(phoneticKeys(one)).not.toEqual(phoneticKeys(other));
  });

  it('each word has its own, whatever stands between them', () => {
    expect(phoneticKeys("Jean-Marc d'Arc")).toEqual(phoneticKeys('jean marc d arc'));
    expect(phoneticKeys('李 123')).toEqual([]);
  });

  it('is found quickly in a hostile text, too', () => {
    const hostile = ['aeou'.repeat(5000), 's'.repeat(20_000)];
    expect(processorMs(() => void hostile.map(phoneticKeys))).toBeLessThan(200);
  });
});
