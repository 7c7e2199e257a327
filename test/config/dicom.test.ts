import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/index.ts';

const dicom = (env: Record<string, string>) => loadConfig(env).dicom;
const tls = { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' };

describe('DICOM associations', () => {
  it('are taken in clear by the demonstration, and elsewhere only when somebody asks for it', () => {
    expect(dicom({})).toMatchObject({ port: 11112, securePort: undefined, aeTitle: 'PASSERELLE', peers: undefined });
    expect(dicom({ DEMO: 'off' }).port).toBeUndefined();
    expect(dicom({ HOST: '0.0.0.0' }).port).toBeUndefined();
    expect(dicom({ DATABASE_URL: 'postgres://db/x' }).port).toBeUndefined();
    expect(dicom({ DEMO: 'off', DIMSE_PORT: '104' }).port).toBe(104);
    expect(dicom({ DIMSE_PORT: 'off' }).port).toBeUndefined();
    expect(dicom({ DIMSE_PORT: '0' }).port).toBe(0);
  });

  it('over TLS need certificates on both sides', () => {
    expect(dicom({ ...tls, DIMSES_PORT: '2762', TLS_CLIENT_CERTIFICATES: 'optional' }).securePort).toBe(2762);
    expect(dicom({ ...tls, DIMSES_PORT: '2762', TLS_CLIENT_CA: 'ca.pem' }).securePort).toBe(2762);
    expect(() => dicom({ DIMSES_PORT: '2762' })).toThrow(ConfigError);
    expect(() => dicom({ ...tls, DIMSES_PORT: '2762' })).toThrow('TLS_CLIENT_CERTIFICATES');
  });

  it('in clear come from the addresses listed for a title, of either family', () => {
    const { peers = [] } = dicom({ DIMSE_PEERS: 'PACS CHU=10.2.0.7, CT1=10.2.4.0/24,CT1=fd00::/8' });
    const from = (title: string, address: string) =>
      peers.some(({ aeTitle, includes }) => aeTitle === title && includes(address));
    expect(from('PACS CHU', '10.2.0.7')).toBe(true);
    expect(from('PACS CHU', '10.2.0.8')).toBe(false);
    expect(from('CT1', '10.2.4.255')).toBe(true);
    expect(from('CT1', '10.2.5.0')).toBe(false);
    expect(from('CT1', 'fd12::1')).toBe(true);
    expect(from('CT1', 'fe80::1')).toBe(false);
    expect(from('CT2', '10.2.4.1')).toBe(false);
    expect(from('CT1', '')).toBe(false);
  });

  it.each([
    [{ DIMSE_PEERS: 'PACS' }, 'DIMSE_PEERS : « PACS »'],
    [{ DIMSE_PEERS: '=10.0.0.1' }, 'DIMSE_PEERS'],
    [{ DIMSE_PEERS: 'PACS=host.example' }, 'DIMSE_PEERS'],
    [{ DIMSE_PEERS: 'PACS=10.0.0.0/33' }, 'DIMSE_PEERS'],
    [{ DIMSE_PEERS: 'PACS=10.0.0.0/' }, 'DIMSE_PEERS'],
    [{ DIMSE_PEERS: 'MUCH_TOO_LONG_TITLE=10.0.0.1' }, 'n’est pas un titre AE'],
    [{ DIMSE_AE: 'A\\B' }, 'DIMSE_AE'],
    [{ DIMSE_PORT: '70000' }, 'DIMSE_PORT=70000 n’est pas un port'],
    [{ DIMSES_PORT: 'x', ...tls }, 'DIMSES_PORT'],
  ])('%j is refused by name', (env, message) => {
    expect(() => loadConfig(env)).toThrow(message);
  });
});
