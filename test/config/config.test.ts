import { describe, expect, it } from 'vitest';
import { acceleratedClock, ConfigError, loadConfig } from '../../src/config/index.ts';

describe('configuration', () => {
  it('has defaults that need no variable at all', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      mllpPort: 2575,
      demo: true,
      checkReferences: false,
      searchTimeoutMs: 10_000,
    });
    expect(config.dataDir).toMatch(/data$/);
  });

  it.each([
    [{ PORT: 'eighty' }, 'PORT=eighty n’est pas un port'],
    [{ MLLP_PORT: '70000' }, 'MLLP_PORT=70000 n’est pas un port'],
    [{ BASE_URL: '/' }, 'BASE_URL=/ n’est pas une adresse'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL=loud est inconnu'],
    [{ DEMO_PASSWORD: 'short' }, 'DEMO_PASSWORD est trop court'],
    [{ TLS_CERT: '/tmp/cert.pem' }, 'TLS_CERT et TLS_KEY vont ensemble'],
    [{ MLLPS_PORT: '2576' }, 'MLLPS_PORT demande un certificat'],
    [{ DEMO: 'off', DEMO_CLOCK: '2026-10-24T22:00:00Z,60' }, 'DEMO_CLOCK est refusé sans données de démonstration'],
    [{ DEMO_CLOCK: 'yesterday' }, 'donnez <instant>'],
  ])('refuses %o naming the variable', (env, message) => {
    expect(() => loadConfig(env)).toThrow(ConfigError);
    expect(() => loadConfig(env)).toThrow(message);
  });

  it('seeds the demonstration only on the embedded database and a loopback address, unless told otherwise', () => {
    expect(loadConfig({ HOST: '0.0.0.0' }).demo).toBe(false);
    expect(loadConfig({ DATABASE_URL: 'postgresql://somewhere/db' }).demo).toBe(false);
    expect(loadConfig({ HOST: '0.0.0.0', DEMO: 'on' }).demo).toBe(true);
    expect(loadConfig({ DEMO: 'off' }).demo).toBe(false);
  });

  it('believes no proxy unless told which', () => {
    expect(loadConfig({}).trustProxy).toBeUndefined();
    expect(loadConfig({ TRUST_PROXY: '10.0.0.5, 10.1.0.0/16' }).trustProxy).toEqual(['10.0.0.5', '10.1.0.0/16']);
  });

  it('runs the demonstration clock from its start at its speed', () => {
    let machine = 1_000_000;
    const base = { now: () => new Date(machine) };
    const clock = acceleratedClock(new Date('2026-10-24T22:00:00Z'), 60, base);
    machine += 60_000;
    expect(clock.now().toISOString()).toBe('2026-10-24T23:00:00.000Z');
  });

  it('moves the demonstration clock on, never back', () => {
    let machine = 1_000_000;
    const clock = acceleratedClock(new Date('2026-10-24T22:00:00Z'), 60, { now: () => new Date(machine) });
    expect(clock.moveOnTo(new Date('2026-10-25T08:00:00Z')).toISOString()).toBe('2026-10-25T08:00:00.000Z');
    machine += 1_000;
    expect(clock.now().toISOString()).toBe('2026-10-25T08:01:00.000Z');
    expect(clock.moveOnTo(new Date('2026-10-25T07:00:00Z')).toISOString()).toBe('2026-10-25T08:01:00.000Z');
  });
});
