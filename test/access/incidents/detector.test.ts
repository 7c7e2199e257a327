import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDetector } from '../../../src/access/incidents/detector.ts';
import { watchRecord } from '../../../src/access/incidents/watch.ts';

const start = Date.parse('2026-03-01T08:00:00Z');
const at = (seconds: number) => new Date(start + seconds * 1000);

describe('the detector of incidents', () => {
  it('tells of a series of failed sign-ins against one account at the tenth, then at the hundredth', () => {
    const { observe } = createDetector();
    const told = Array.from({ length: 200 }, (_, n) =>
      observe('aa', { at: at(n), account: 'noa', what: 'sign-in-refused', network: `192.0.2.${n}` }),
    );
    expect(told.flatMap((found, n) => found.map(({ kind, times }) => [n + 1, kind, times]))).toEqual([
      [10, 'brute-force', 10],
      [100, 'brute-force', 90],
    ]);
  });

  it('tells of one address that goes over many accounts', () => {
    const { observe } = createDetector();
    const told = Array.from({ length: 60 }, (_, n) =>
      observe('aa', { at: at(n), account: `name${n}`, what: 'sign-in-refused', network: '192.0.2.1' }),
    );
    expect(told.flat()).toEqual([
      { kind: 'brute-force', subject: 'network 192.0.2.1', times: 60, network: '192.0.2.1' },
    ]);
  });

  it('says nothing of mistakes that lie further apart than the window', () => {
    const { observe } = createDetector();
    const told = Array.from({ length: 50 }, (_, n) =>
      observe('aa', { at: at(n * 120), account: 'noa', what: 'sign-in-refused' }),
    );
    expect(told.flat()).toEqual([]);
  });

  it('tells of a single attempt to reach another tenant, and keeps tenants apart', () => {
    const { observe } = createDetector();
    const attempt = { at: at(0), account: 'noa', what: 'cross-tenant', interaction: 'read' } as const;
    expect(observe('aa', attempt)).toHaveLength(1);
    expect(observe('aa', attempt)).toHaveLength(0);
    expect(observe('bb', attempt)).toHaveLength(1);
  });

  it('counts every observation exactly once, whatever the order of the series', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 400 }), (accounts) => {
        const { observe } = createDetector();
        const told = new Map<string, number>();
        for (const account of accounts) {
          for (const { times = 1 } of observe('aa', { at: at(0), account, what: 'sign-in-refused' })) {
            told.set(account, (told.get(account) ?? 0) + times);
          }
        }
        for (const account of ['a', 'b', 'c']) {
          const seen = accounts.filter((other) => other === account).length;
          const last = seen >= 100 ? 100 : seen >= 10 ? 10 : 0;
          expect(told.get(account) ?? 0).toBe(last);
        }
      }),
    );
  });
});

describe('the watch over the audit trail', () => {
  it('tells of codes, refresh tokens and assertions used twice, and of emergency openings', () => {
    const reported: unknown[] = [];
    const watcher = {
      report: (tenant: string, occurrence: object) => reported.push({ tenant, ...occurrence }),
      observe: () => undefined,
    };
    const common = {
      act: 'activity' as const,
      actor: { reference: '', display: '', account: 'app', kind: 'machine' as const, roles: [] },
      interaction: 'oauth2:token',
      requestId: 'r',
      site: { address: 'x', networkType: '1' as const },
    };
    for (const reason of [
      'reused code or refresh token',
      'the assertion was used before',
      'expired code or refresh token',
    ]) {
      const activity = {
        kind: 'token-issue' as const,
        outcome: 'refused' as const,
        reason,
        details: { client: 'app-1' },
      };
      watchRecord(watcher, 'aa', { ...common, activity }, at(0));
    }
    watchRecord(watcher, 'aa', { ...common, activity: { kind: 'break-glass-start', reason: 'nom du patient' } }, at(0));
    expect(reported).toEqual([
      expect.objectContaining({ tenant: 'aa', kind: 'token-misuse', subject: 'client app-1' }),
      expect.objectContaining({ kind: 'token-misuse' }),
      { tenant: 'aa', kind: 'break-glass', subject: 'account app', account: 'app' },
    ]);
  });
});
