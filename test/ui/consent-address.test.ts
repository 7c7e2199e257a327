import { expect, it } from 'vitest';
import { consentAddress } from '../../src/ui/session/consent-address.ts';

const query = (suite: string) => `?${new URLSearchParams({ suite })}`;

it('leads back to the question of the application', () => {
  expect(consentAddress(query('/oauth2/consent?client_id=a&state=b%26c'))).toBe(
    '/oauth2/consent?client_id=a&state=b%26c',
  );
});

it.each([
  'https://evil.test/oauth2/consent?',
  '//evil.test/oauth2/consent?x',
  '/\\evil.test',
  'javascript:alert(1)//oauth2/consent?',
  ' /oauth2/consent?x',
  '/oauth2/consent',
  '/oauth2/logout',
  '',
])('leads home and not to %j', (suite) => {
  expect(consentAddress(query(suite))).toBe('/');
});
