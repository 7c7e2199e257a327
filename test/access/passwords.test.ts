import { expect, test } from 'vitest';
import { createPasswordHasher, passwordProblems } from '../../src/access/passwords.ts';

const account = { login: 'a.moreau', display: 'Dr Éléonore MOREAU', roles: ['radiologist'] };

test('a password has nine characters, fourteen for an administrator', () => {
  expect(passwordProblems('Hirond12', account)).toEqual(['Le mot de passe doit compter au moins 9 caractères.']);
  expect(passwordProblems('Hirond123', account)).toEqual([]);
  const admin = { ...account, roles: ['administrator'] };
  expect(passwordProblems('Hirond1234567', admin)).toHaveLength(1);
  expect(passwordProblems('Hirond12345678', admin)).toEqual([]);
});

test('a password mixes three of four classes of characters', () => {
  expect(passwordProblems('hirondel123', account)).toHaveLength(1);
  expect(passwordProblems('hirondel12!', account)).toEqual([]);
  expect(passwordProblems('HIRONDEL12!', account)).toEqual([]);
  expect(passwordProblems('élÉvation-haute', account)).toEqual([]);
});

test('a password holds neither the login, nor a name however it is written, nor the role', () => {
  for (const password of ['A.moreau#2026', 'ELEONORE-2026', 'xMoReAu_2026', 'Radiologist-1']) {
    expect(passwordProblems(password, account), password).toHaveLength(1);
  }
});

test('a password that is tried first is refused, with figures and signs around it or for its letters', () => {
  const common = [
    'Motdepasse2026!',
    'Mot-de-passe-1',
    'P@ssw0rd123',
    '!Passw0rd!',
    'Janvier-2026',
    'Ete2026!!!',
    'Azerty123!',
  ];
  const others = [
    'Passerelle-1',
    'Radiologie2026',
    'So1eil-2026',
    'Abcd-1234',
    '1q2w3e4r5T',
    'Xxxxx-11111',
    'Nicolas-Paris75',
  ];
  const requester = { ...account, roles: ['requester'] };
  for (const password of [...common, ...others])
    expect(passwordProblems(password, requester), password).toHaveLength(1);
  for (const password of ['Hirondelle-47', 'Bonne-Phrase-2026', 'Soleil-en-bruine-3', 'Passementerie-9']) {
    expect(passwordProblems(password, account), password).toEqual([]);
  }
});

test('a password verifies against its argon2id hash only, and a missing hash verifies nothing', async () => {
  const hasher = createPasswordHasher();
  const stored = await hasher.hash('Une phrase, 12 mots');
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await hasher.verify(stored, 'Une phrase, 12 mots')).toBe(true);
  expect(await hasher.verify(stored, 'Une phrase, 13 mots')).toBe(false);
  expect(await hasher.verify(undefined, 'Une phrase, 12 mots')).toBe(false);
});

test('an accented letter is the same from every keyboard', async () => {
  const hasher = createPasswordHasher();
  const stored = await hasher.hash('Été-à-Besançon-9');
  expect(await hasher.verify(stored, 'Été-à-Besançon-9'.normalize('NFD'))).toBe(true);
});
