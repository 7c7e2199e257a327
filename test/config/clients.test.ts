import { expect, test } from 'vitest';
import { clientSettings } from '../../src/config/clients.ts';

const tls = { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' };

test('nobody is asked for a certificate unless the operator wants it', () => {
  expect(clientSettings({})).toEqual({
    certificates: false,
    certificateAuthorities: undefined,
    mllpsCertificate: 'optional',
    keyHosts: [],
  });
  expect(clientSettings({ ...tls, TLS_CLIENT_CERTIFICATES: 'optional' }).certificates).toBe(true);
  expect(clientSettings({ ...tls, TLS_CLIENT_CA: 'ca.pem', MLLPS_CLIENT_CERTIFICATE: 'required' })).toMatchObject({
    ...{ certificates: true, certificateAuthorities: 'ca.pem', mllpsCertificate: 'required' },
  });
});

test('hosts of keys are hosts', () => {
  expect(clientSettings({ CLIENT_KEY_HOSTS: 'RIS.example, ris.local:8443' }).keyHosts).toEqual([
    'ris.example',
    'ris.local:8443',
  ]);
});

test.each([
  [{ TLS_CLIENT_CA: 'ca.pem' }, /TLS_CERT et TLS_KEY/],
  [{ ...tls, MLLPS_CLIENT_CERTIFICATE: 'required' }, /TLS_CLIENT_CERTIFICATES/],
  [{ ...tls, TLS_CLIENT_CERTIFICATES: 'required' }, /inconnu/],
  [{ CLIENT_KEY_HOSTS: 'https://ris.example/jwks' }, /ni hôte/],
  [{ CLIENT_KEY_HOSTS: '*.example' }, /ni hôte/],
])('%j is refused', (env, message) => {
  expect(() => clientSettings(env as Record<string, string>)).toThrow(message);
});
